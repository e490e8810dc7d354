import { colorLabel, image, page, section, table } from "./page.ts";
import { element, escapeText } from "./svg/markup.ts";

/** A sample of a preview: PNG files of the image, and of the image with the colours of its label over it. */
export interface PreviewSample {
  readonly name: string;
  readonly image: Uint8Array;
  readonly label: Uint8Array;
}

/** Returns a page that shows images beside their labels, with a legend of the classes; it needs nothing from outside. */
export function previewHtml(
  title: string,
  samples: readonly PreviewSample[],
  classes: readonly { readonly name: string; readonly color: readonly number[] }[],
): string {
  const rows = samples.map((sample) => [
    image(sample.image, `image of ${sample.name}`, sample.name) + element("p", {}, escapeText(sample.name)),
    image(sample.label, `label of ${sample.name}`, sample.name) + element("p", {}, "label"),
  ]);
  const legend = classes.map(({ name, color }) => element("span", {}, colorLabel(name, color)));
  return page(
    title,
    element("h1", {}, escapeText(title)),
    section("Classes", element("div", { class: "legend" }, ...legend)),
    section("Samples", table(["image", "label"], rows, "images")),
  );
}
