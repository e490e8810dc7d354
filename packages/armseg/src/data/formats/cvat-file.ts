import { XMLParser, XMLValidator } from "fast-xml-parser";
import { DataError, messageOf } from "../data-error.ts";
import { readText } from "./text-file.ts";

/** An XML element with its children in document order. */
export interface XmlElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Attributes are kept under this key by the parser's order-preserving form. */
const ATTRIBUTES = ":@";
const TEXT = "#text";

/**
 * Reads an XML file as a tree, children in document order. Files with a document type are refused: entities in it could expand without end.
 *
 * @throws {DataError} If the file is missing, not well-formed or in another encoding than it says.
 */
export async function readXml(path: string): Promise<XmlElement> {
  const text = await readText(path);
  try {
    if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new Error("it has a document type declaration");
    const problem = XMLValidator.validate(text);
    if (problem !== true) throw new Error(`${problem.err.msg} (line ${problem.err.line})`);
    const options = {
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: "",
      parseTagValue: false,
      // References are replaced below: the parser knows none by number.
      processEntities: false,
    };
    return { tag: "", attributes: {}, text: "", children: elements(new XMLParser(options).parse(text)) };
  } catch (cause) {
    throw new DataError(`${path} is not valid XML: ${messageOf(cause)}; is it truncated?`, path, cause);
  }
}

function elements(nodes: readonly Record<string, unknown>[]): XmlElement[] {
  const tags = nodes.flatMap((node) =>
    Object.keys(node)
      .filter((key) => key !== ATTRIBUTES && key !== TEXT)
      .map((tag) => ({ tag, node })),
  );
  return tags.map(({ tag, node }) => {
    const inner = node[tag] as readonly Record<string, unknown>[];
    const text = withoutReferences(inner.map((child) => child[TEXT] ?? "").join(""));
    const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>);
    return {
      tag,
      attributes: Object.fromEntries(attributes.map(([name, value]) => [name, withoutReferences(value)])),
      children: elements(inner),
      text,
    };
  });
}

const NAMED_REFERENCES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** A text with the characters that `&amp;`, `&#233;` and `&#xE9;` stand for. @throws If a reference stands for nothing. */
function withoutReferences(text: string): string {
  return text.replace(/&([^;&]*);?/g, (reference, name: string) => {
    const [, decimal, hex] = /^#(?:(\d{1,7})|x([0-9a-f]{1,6}))$/i.exec(name) ?? [];
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : Number.NaN;
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : NAMED_REFERENCES[name];
    if (character === undefined || !reference.endsWith(";"))
      throw new Error(`${reference} stands for no character`);
    return character;
  });
}

/** The children of an element with a tag. */
export function childrenOf(element: XmlElement | undefined, tag: string): XmlElement[] {
  return element?.children.filter((child) => child.tag === tag) ?? [];
}

/** The first element down a path of tags. */
export function find(element: XmlElement, ...tags: readonly string[]): XmlElement | undefined {
  let at: XmlElement | undefined = element;
  for (const tag of tags) at = childrenOf(at, tag)[0];
  return at;
}

/** A finite number in an attribute. @throws If it is missing or no number. */
export function numberOf(element: XmlElement, name: string, fallback?: number): number {
  const text = element.attributes[name];
  if (text === undefined && fallback !== undefined) return fallback;
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value))
    throw new Error(`<${element.tag}> has ${name}="${text ?? ""}", expected a number`);
  return value;
}

/** A text in an attribute. @throws If it is missing. */
export function textOf(element: XmlElement, name: string): string {
  const text = element.attributes[name];
  if (text === undefined) throw new Error(`<${element.tag}> has no ${name}`);
  return text;
}
