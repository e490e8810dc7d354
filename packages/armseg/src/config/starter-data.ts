import { stringify } from "yaml";
import type { DataProposal } from "./propose-data.ts";

/** Moves lines two spaces to the right. */
function indent(text: string, by = 1): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, "  ".repeat(by));
}

/**
 * Returns the `data` section of a configuration that `init` writes.
 *
 * @param lists - Paths of the lists of names, as the configuration names them; `null` where the data set has splits of its own.
 */
export function starterData(
  { classes, labels, train, val, ...places }: DataProposal["data"],
  lists: { readonly train: string; readonly val: string } | null,
): string {
  return [
    "data:",
    indent(stringify(places)),
    ...(classes ? [indent(classLines(classes))] : []),
    ...(labels ? [indent(labelLines(labels))] : classes ? [indent(NAMED_LABELS)] : []),
    ...(lists
      ? [`  train: { split: train, list: ${JSON.stringify(lists.train)} }`]
      : splitLines("train", train)),
    ...(lists ? [`  val: { split: val, list: ${JSON.stringify(lists.val)} }`] : splitLines("val", val)),
  ].join("\n");
}

function classLines(classes: NonNullable<DataProposal["data"]["classes"]>): string {
  const lines = classes.map(
    ({ name, color }) => `  - { name: ${stringify(name).trimEnd()}, color: [${color.join(", ")}] }`,
  );
  return [
    "# The order is that of the network's outputs. Who renames a class here does it in labels.map too.",
    "classes:",
    ...lines,
  ].join("\n");
}

/** Where annotations have names, all of which are classes. */
const NAMED_LABELS =
  "# labels: { map: { lorry: truck, unsure: ignore } } sends a name to another class, or to none.";

function labelLines({ map, ...reading }: NonNullable<DataProposal["data"]["labels"]>): string {
  return [
    "labels:",
    indent(stringify(reading)),
    "  # What a mask holds, and which class it is; `ignore` takes part in no loss and no score.",
    "  map:",
    indent(stringify(map), 2),
  ].join("\n");
}

/** A split that lies in places of its own. */
function splitLines(name: "train" | "val", places: object | undefined): string[] {
  const entries = Object.entries(places ?? {}).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return [`  ${name}: { ${[`split: ${name}`, ...entries].join(", ")} }`];
}
