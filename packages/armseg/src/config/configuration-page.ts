import { RENAMED } from "./renamed-keys.ts";
import { configJsonSchema } from "./schema.ts";

/** The part of JSON Schema that zod writes for our configuration. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** Integers are written with the largest safe one as their limit. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

function rangeOf({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const above =
    exclusiveMinimum !== undefined && exclusiveMinimum > -UNLIMITED ? ` > ${exclusiveMinimum}` : "";
  const from = minimum !== undefined && minimum > -UNLIMITED ? ` ≥ ${minimum}` : "";
  const to = maximum !== undefined && maximum < UNLIMITED ? ` ≤ ${maximum}` : "";
  return [above, from, to].filter((part) => part !== "").join(",");
}

/** What a value may be, in words. */
function kindOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(kindOf).join(", ")}]`;
  if (schema.type === "array" && schema.items) return `list of ${kindOf(schema.items)}`;
  if (schema.type === "object" && schema.properties)
    return `{ ${Object.keys(schema.properties).join(", ")} }`;
  const types = [schema.type ?? "anything"]
    .flat()
    .map((type) => (type === "object" ? "keys and values" : type));
  return `${types.join(" or ")}${rangeOf(schema)}`;
}

function rowOf(key: string, schema: Schema, isRequired: boolean): string {
  const none = isRequired ? "**required**" : "";
  const fallback = schema.default === undefined ? none : `\`${JSON.stringify(schema.default)}\``;
  const cells = [`\`${key}\``, kindOf(schema), fallback, schema.description ?? ""];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** The rows of an object; objects inside it that are always there are unfolded. */
function rowsOf(schema: Schema, prefix = ""): string[] {
  const fallbacks = (schema.default ?? {}) as Record<string, unknown>;
  return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => {
    const key = `${prefix}${name}`;
    const value = name in fallbacks ? { ...own, default: fallbacks[name] } : own;
    if (value.properties) return rowsOf(value, `${key}.`);
    return [rowOf(key, value, (schema.required ?? []).includes(name) && value.default === undefined)];
  });
}

const HEAD = ["| key | value | default | effect |", "| --- | --- | --- | --- |"];

/** Returns docs/configuration.md: every key of the configuration, from the schema. */
export function configurationPage(): string {
  const { properties = {} } = configJsonSchema() as Schema;
  const plain = Object.entries(properties).filter(([, schema]) => !schema.properties);
  const sections = Object.entries(properties).filter(([, schema]) => schema.properties);
  return `${[
    INTRODUCTION,
    [...HEAD, ...plain.map(([name, schema]) => rowOf(name, schema, false))].join("\n"),
    ...sections.map(([name, schema]) => `## \`${name}\`\n\n${[...HEAD, ...rowsOf(schema)].join("\n")}`),
    `## Keys that were renamed\n\nOlder files are still read, with a warning.\n\n${renamedRows().join("\n")}`,
  ].join("\n\n")}\n`;
}

function renamedRows(): string[] {
  const rows = RENAMED.map(({ section, old, now, values = [] }) => {
    const of = (key: string, i: 0 | 1) =>
      [`\`${section}.${key}\``, ...values.map((pair) => `\`${String(pair[i])}\``)].join(", ");
    return `| ${of(old, 0)} | ${of(now, 1)} |`;
  });
  return ["| was | is |", "| --- | --- |", ...rows];
}

const INTRODUCTION = `<!-- Made by \`npm run generate -w armseg\` from packages/armseg/src/config/schema.ts; do not edit. -->

# Configuration

A run is described by one YAML file. Only \`data\` is required; every other key has the default below, which is the paper's where the
paper says one. A key that is not listed here is an error that names the nearest one.

\`\`\`
armseg config explain armseg.yaml    # every value, and the line, --set or default that it comes from
armseg config schema > armseg.schema.json
\`\`\`

With \`# yaml-language-server: $schema=armseg.schema.json\` as its first line, editors complete and check the file.
\`--set key=value\` overrides a value on the command line; it is read as YAML: \`--set augmentation.crop=[512,512]\`,
\`--set loss.ohem={}\` (OHEM with its defaults), \`--set model.weights=null\`. Sizes are \`[height, width]\` in pixels.

Relative paths in a file follow the **file**; those of \`--set\`, and every other path on the command line, follow the current folder. The resolved
configuration is kept in the run's folder as \`config.yaml\`, with absolute paths, and resuming reads that. A run may be moved: data that moved with it are
found too, and elsewhere \`--set data.root=…\` says where they are now.`;
