import { InvalidArgumentError, Option } from "commander";

/** An integer of at least `minimum`, for commander. */
export function integer(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InvalidArgumentError(`Expected an integer of at least ${minimum}.`);
  };
}

/** `512x1024`, height first, for commander. */
export function size(text: string): [height: number, width: number] {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (Number(height) > 0 && Number(width) > 0) return [Number(height), Number(width)];
  throw new InvalidArgumentError("Expected HEIGHTxWIDTH, e.g. 512x1024.");
}

/** Checks, for commander, that a file to write is named as a page. */
export function htmlFile(text: string): string {
  if (text.endsWith(".html")) return text;
  throw new InvalidArgumentError("Expected a name that ends in .html; previews are pages.");
}

/** What a benchmark runs on. */
export function deviceOption(): Option {
  return new Option("--device <name>", "what both sides run on").choices(["cpu", "cuda"]).default("cpu");
}

/** Gathers an option that may be given several times, for commander. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** The text below a command's options. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.map((line) => `  $ armseg ${line}`).join("\n")}\n`;
}
