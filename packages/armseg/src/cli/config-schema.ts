import type { Command } from "commander";
import { configJsonSchema } from "../config/schema.ts";
import { examples } from "./arguments.ts";
import { printJson } from "./output.ts";

/** `armseg config schema` */
export function addConfigSchema(config: Command): void {
  config
    .command("schema")
    .summary("print the JSON Schema, for editors")
    .description("Print the JSON Schema of a configuration, for editors.")
    .addHelpText("after", examples("config schema > armseg.schema.json"))
    .action(() => printJson(configJsonSchema()));
}
