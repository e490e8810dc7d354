import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A fenced block of a page. */
export interface Snippet {
  /** `docs/data.md:70` */
  readonly place: string;
  /** `ts`, `yaml`, `bash`, or empty. */
  readonly language: string;
  readonly text: string;
}

/** The pages that readers are shown: README, guides, decisions, the packages' own. */
export function pages(): string[] {
  return globSync(["*.md", "docs/**/*.md", "packages/*/*.md"], {
    cwd: ROOT,
    ignore: ["**/node_modules/**", "CHANGELOG.md"],
  }).sort();
}

/** Every fenced block of every page. */
export function snippets(): Snippet[] {
  return pages().flatMap((page) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
      const line = text.slice(0, match.index).split("\n").length;
      return { place: `${page}:${line}`, language: match[1]!, text: match[2]! };
    });
  });
}

/** The lines of a block that a shell would run, without comments; lines that end in `\` are joined. */
export function shellLines({ text }: Snippet): string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** The arguments of an `armseg` that a line runs, with or without `npx` and variables before it; undefined where it runs none. */
export function armsegArguments(line: string): string[] | undefined {
  const command = /^(?:[A-Z_]+=\S+ )*(?:\$ )?(?:npx )?armseg(?:\s+(.*))?$/.exec(line);
  if (!command) return undefined;
  const [own = ""] = (command[1] ?? "").split(/\s(?:\||&&|>|>>|;)\s/);
  const words = own.matchAll(/(\$\([^)]*\))|'([^']*)'|"([^"]*)"|(\S+)/g);
  return [...words].map(([whole, command, single, double]) => command ?? single ?? double ?? whole);
}
