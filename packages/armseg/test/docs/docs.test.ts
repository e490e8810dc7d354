import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { buildProgram } from "../../src/cli/program.ts";
import { checkConfig } from "../../src/config/read-config.ts";
import { armsegArguments, pages, ROOT, shellLines, snippets } from "./snippets.ts";

const all = snippets();
const named = <T extends { readonly place: string }>(found: readonly T[]) =>
  found.map((one) => [one.place, one] as const);

/** The command line, with commands that do nothing. */
function idleProgram(): Command {
  const program = buildProgram();
  const silence = (command: Command): void => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    command.commands.forEach(silence);
  };
  silence(program);
  return program;
}

describe("commands", () => {
  const commands = all
    .filter(({ language }) => ["", "bash", "sh"].includes(language))
    .flatMap((snippet) =>
      shellLines(snippet).flatMap((line) => {
        const args = armsegArguments(line);
        return args ? [{ place: `${snippet.place}: ${line}`, args }] : [];
      }),
    );

  test("there are some", () => expect(commands.length).toBeGreaterThan(30));

  test.each(named(commands))("%s", async (_, { args }) => {
    if (args.some((arg) => arg.includes("…"))) return;
    await expect(idleProgram().parseAsync(args, { from: "user" })).resolves.toBeDefined();
  });

  test("examples in the help of commands", async () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
    for (const command of leaves(buildProgram())) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      for (const [, line] of help.matchAll(/^ {2}\$ (armseg .*)$/gm))
        await idleProgram().parseAsync(armsegArguments(line!)!, { from: "user" });
    }
  });

  test("npm's scripts exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
    const run = all.flatMap(({ place, text }) =>
      [...text.matchAll(/npm run ([\w:-]+)(?! -w)(?=\s|$)/gm)].map(([line, name]) => ({
        place,
        line,
        name: name!,
      })),
    );
    const missing = run.filter(({ name, line }) => !(name in scripts) && !line.includes("-w"));
    expect(missing.filter(({ name }) => name !== "generate")).toEqual([]);
  });
});

describe("configurations", () => {
  const yaml = all.filter(({ language, text }) => language === "yaml" && !text.includes("apiVersion:"));

  test.each(named(yaml))("%s", (_, { text }) => {
    const found = parse(text) as Record<string, object>;
    const { data = {}, labels, ...rest } = found as { data?: object; labels?: object };
    const whole = { format: "folder", ...data, ...(labels && { labels }) };
    expect(() => checkConfig({ ...rest, data: whole }, "the page")).not.toThrow();
  });
});

test("links between pages lead somewhere", () => {
  const dead = pages().flatMap((page) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map(
      ([, target]) => target!,
    );
    return links
      .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page}: ${target}`);
  });
  expect(dead).toEqual([]);
});

describe("programs", () => {
  const programs = all.filter(({ language }) => language === "ts");
  let folder: string;
  let files: string[];

  beforeAll(() => {
    // Inside the workspace, so that packages are found by their names.
    folder = mkdtempSync(join(ROOT, "packages/armseg/build-docs-"));
    files = programs.map(({ text }, i) => {
      const file = join(folder, `snippet-${i}.ts`);
      writeFileSync(file, text);
      return file;
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("there are some", () => expect(programs.length).toBeGreaterThan(6));

  test("are typed as written", () => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.base.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const program = ts.createProgram(files, {
      ...options,
      ...{
        noEmit: true,
        composite: false,
        incremental: false,
        noUnusedLocals: false,
        allowImportingTsExtensions: true,
      },
    });
    const errors = files.flatMap((file, i) =>
      program
        .getSemanticDiagnostics(program.getSourceFile(file))
        .map(
          ({ messageText }) => `${programs[i]!.place}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
        ),
    );
    expect(errors).toEqual([]);
  }, 120_000);

  test("run as written", () => {
    const driver = join(folder, "all.ts");
    const lines = files.map(
      (file, i) =>
        `console.log(${JSON.stringify(programs[i]!.place)});\nawait import(${JSON.stringify(file)});`,
    );
    writeFileSync(driver, lines.join("\n"));
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--conditions=@armseg/source", driver],
      { cwd: folder, encoding: "utf8" }, // what they write is theirs
    );
    expect([status, stderr, status === 0 ? "" : stdout]).toEqual([0, "", ""]);
  }, 120_000);
});
