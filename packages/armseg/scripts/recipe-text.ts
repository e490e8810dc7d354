import { posix } from "node:path";
import { Document, isMap, isScalar, isSeq, visit } from "yaml";
import { checkConfig } from "../src/config/read-config.ts";
import { mapPaths } from "../src/config/schema.ts";
import type { Recipe } from "./paper-recipes.ts";

/** The resolved configuration, without the keys of `data` that say nothing for its format; paths are those of the repository's root. */
function completeConfig({ name, config }: Recipe): object {
  const { data, ...rest } = mapPaths(checkConfig(config, name), (path) => posix.join("..", path));
  const { name: runName, ...sections } = rest;
  const { scenes, annotations, labels, ...common } = data;
  const hasAnnotations = data.format === "scenes" || data.format === "cityscapes";
  const shown = {
    ...common,
    ...(hasAnnotations && { annotations }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(data.format === "scenes" && { scenes }),
  };
  return { name: runName, data: shown, ...sections };
}

/** YAML with lists of numbers and small maps on one line. */
function toYaml(value: object): string {
  const document = new Document(value);
  visit(document, {
    Seq: (_key, node) => {
      if (node.items.every(isScalar)) node.flow = true;
    },
    Map: (_key, node, path) => {
      const isSmall =
        node.items.length <= 3 && node.items.every(({ value: item }) => isScalar(item) || isSeq(item));
      if (path.length > 3 && isMap(node) && isSmall) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 }).replaceAll(/\[ (.*?) \]/g, "[$1]");
}

/** A recipe file: header, then every key with its value. */
export function recipeText(recipe: Recipe): string {
  const { title, table, expected, hardware, commands, notes } = recipe;
  const header = [
    title,
    "",
    `Paper     ${table}`,
    `Expected  ${expected}`,
    `Hardware  ${hardware}`,
    ...commands.map((command, i) => `${i === 0 ? "Command " : "        "}  ${command}`),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].map((line) => `# ${line}`.trimEnd());
  const body = toYaml(completeConfig(recipe)).replaceAll(/^(?=\w)(?!name:)/gm, "\n");
  return `# yaml-language-server: $schema=../schema/armseg.schema.json\n${header.join("\n")}\n\n${body}`;
}
