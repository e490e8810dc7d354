import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "./program.ts";

/** `bench loss: --threads <n> --runs <n> --json` for each command. */
function flags(command: Command, path = ""): string[] {
  const own = command.registeredArguments.map((argument) => {
    const text = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${text}>` : `[${text}]`;
  });
  const options = command.options.map(({ flags: text, mandatory }) =>
    mandatory ? `${text} (required)` : text,
  );
  const line = `${path.trim()}: ${[...own, ...options].join(" ")}`.trim();
  const isGroup = command.commands.length > 0;
  return [
    ...(isGroup ? [] : [line]),
    ...command.commands.flatMap((sub) => flags(sub, `${path} ${sub.name()}`)),
  ];
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test("the commands and their options are frozen: a change here is a change of the contract with users", () => {
  expect(flags(buildProgram())).toEqual([
    "setup: -y, --yes --cuda --print --offline",
    "doctor: --json",
    "demo: --out <folder> --iterations <n> --json",
    "init: <images> [annotations] --format <name> --names <names> --background <name> --out <folder> --seed <n> --hours <n>",
    "data check: <config> --set <key=value> --html <file.html> --seed <n> --json",
    "data coarsen: <labels> <out> --preset <name> --wrong <share> --names <names> --seed <n> --json",
    "data preview: <config> --set <key=value> --out <file.html> --count <n>",
    "config explain: <config> --set <key=value> --changed --json",
    "config schema:",
    "summary: <config> --set <key=value> --classes <n> --json",
    "weights list: --json",
    "weights fetch: <name> --json",
    "weights path: <name>",
    "train: [config...] --set <key=value> --device <name> --nproc <n> --out <folder> --resume --from <run> --dry-run --seeds <n> --json",
    "eval: <run> --set <key=value> --device <name> --nproc <n> --data <config> --checkpoint <which> --split <name> --split-errors --coarse <folder> --maps --json",
    "audit: <run> --set <key=value> --device <name> --checkpoint <which> --folds <n> --against [masks] --least-area <pixels> --no-planes --json",
    "correct: <run> --set <key=value> --out <folder> (required) --verdicts <file> --all <verdict> --top <n> --least-score <score> --json",
    "compare: <runs...> --out <file.html> --overwrite --json",
    "studio: [folders...] --port <n> --data <folder>",
    "predict: <run> <inputs...> --set <key=value> --device <name> --out <folder> (required) --data <config> --checkpoint <which> --overlay --confidence --maps --overwrite --json",
    "export: <run> --out <file> (required) --format <name> --names <whose> --output <kind> --confidence --quantise <precision> --license <text> --checkpoint <which> --overwrite --json",
    "submit: <run> <benchmark> --set <key=value> --device <name> --out <folder> (required) --split <name> --checkpoint <which> --overwrite --json",
    "reproduce: <experiment> --set <key=value> --device <name> --preset <name> --scale <name> --data <folder> --weights <path> --seeds <n> --jobs <n> --out <folder> --dry-run --json",
    "bench loss: --device <name> --threads <n> --runs <n> --size <NxCxhxwxHxW> --json",
    "bench step: --backbone <name> --device <name> --precision <name> --batch <n> --threads <n> --runs <n> --size <NxHxW> --compile-seconds <n> --json",
    "bench eval: --device <name> --threads <n> --runs <n> --size <CxHxW> --json",
    "bench loader: --images <n> --rounds <n> --json",
    "bench training: --device <name> --threads <n> --iterations <n> --miou <percent> --json",
    "bench overhead: --device <name> --threads <n> --runs <n> --json",
  ]);
});

test("every command's help has a summary, a description and an example that names it", () => {
  for (const command of leaves(buildProgram())) {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    expect(command.summary() || command.description(), command.name()).not.toBe("");
    expect(help, command.name()).toMatch(new RegExp(`Examples?:\\n {2}\\$ armseg .*\\b${command.name()}\\b`));
  }
});
