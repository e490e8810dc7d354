import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readNames } from "../data/formats/list-files.ts";

/** Reads an integer of at least `minimum`, for commander. */
export function integer(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InvalidArgumentError(`Expected an integer of at least ${minimum}.`);
  };
}

/** Reads a number above 0, for commander. */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}

/** Reads a number from 0 to 1, for commander. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("Expected a share from 0 to 1, e.g. 0.15.");
}

/** Reads names that are listed with commas, or in a file with one per line. */
export async function namesOf(text: string): Promise<string[]> {
  return existsSync(text) ? await readNames(text) : text.split(",").map((name) => name.trim());
}

/** Reads `512x1024`, height first, for commander. */
export function size(text: string): [height: number, width: number] {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (Number(height) > 0 && Number(width) > 0) return [Number(height), Number(width)];
  throw new InvalidArgumentError("Expected HEIGHTxWIDTH, e.g. 512x1024.");
}

/** Returns a reader of sizes such as `2x256x512` for commander, one number above 0 for each of the form's letters. */
export function sizeLike<T extends readonly number[]>(form: string): (text: string) => T {
  return (text) => {
    const numbers = text.split("x").map(Number);
    const isSound = numbers.every((number) => Number.isSafeInteger(number) && number > 0);
    if (isSound && numbers.length === form.split("x").length) return numbers as unknown as T;
    throw new InvalidArgumentError(`Expected ${form}, whole numbers above 0.`);
  };
}

/** Checks, for commander, that a file to write is named as a page. */
export function htmlFile(text: string): string {
  if (text.endsWith(".html")) return text;
  throw new InvalidArgumentError("Expected a name that ends in .html; previews are pages.");
}

/** Returns the option of what a benchmark runs on. */
export function deviceOption(): Option {
  return new Option("--device <name>", "what both sides run on").choices(["cpu", "cuda"]).default("cpu");
}

/** Gathers an option that may be given several times, for commander. */
function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Returns the text below a command's options. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.map((line) => `  $ armseg ${line}`).join("\n")}\n`;
}

/** The options of {@link settingOptions}. */
export interface SettingOptions {
  readonly set?: readonly string[] | undefined;
  readonly device?: string | undefined;
}

/** Adds `--set` and `--device`, for commands that run a network by a configuration. */
export function settingOptions(command: Command): Command {
  return setOption(command).option(
    "--device <name>",
    "cpu, cuda, cuda:1 or mps; short for --set training.device=…",
  );
}

/** Returns what the options put over a configuration. */
export function overridesOf({ set = [], device }: SettingOptions): string[] {
  return device === undefined ? [...set] : [...set, `training.device=${JSON.stringify(device)}`];
}

/** Adds `--set`, the option of every command that reads a configuration. */
export function setOption(command: Command): Command {
  return command.option(
    "--set <key=value>",
    "override a value of the configuration; may be repeated",
    collect,
  );
}
