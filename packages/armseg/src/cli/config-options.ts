import type { Command } from "commander";
import { collect } from "./arguments.ts";

/** The option of every command that reads a configuration. */
export function setOption(command: Command): Command {
  return command.option(
    "--set <key=value>",
    "override a value of the configuration; may be repeated",
    collect,
  );
}
