/** Text made safe for an element's content and for a quoted attribute, in HTML and SVG alike. */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Attribute values; numbers are rounded to hundredths (of a pixel), undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element of HTML or SVG; attribute values are escaped, `content` is markup already. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escapeText(attributeText(value))}"`],
  );
  return `<${name}${written.join("")}>${content.join("")}</${name}>`;
}

function attributeText(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
}
