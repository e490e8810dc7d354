import { createHash } from "node:crypto";
import fs from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { AuditedImage, AuditPaths, AuditRegion } from "../runs/audit/index.ts";

/** Where a region stands before all are known. */
type UnrankedRegion = Omit<AuditRegion, "rank">;

/**
 * Writes the lists of an audit. Regions come image by image and are ranked at the end: of each, only its score and its place in a temporary
 * file are kept in memory.
 */
export class AuditLists implements Disposable {
  readonly #paths: AuditPaths;
  readonly #images: number;
  readonly #unranked: number;
  readonly #scores: number[] = [];
  /** Offset of each region's line, and of the end. */
  readonly #offsets: number[] = [0];

  constructor(paths: AuditPaths) {
    this.#paths = paths;
    this.#images = fs.openSync(paths.images, "w");
    this.#unranked = fs.openSync(unrankedPath(paths), "w+");
  }

  get regions(): number {
    return this.#scores.length;
  }

  addImage(image: AuditedImage): void {
    fs.writeSync(this.#images, `${JSON.stringify(image)}\n`);
  }

  addRegion(region: UnrankedRegion): void {
    const line = Buffer.from(`${JSON.stringify(region)}\n`);
    fs.writeSync(this.#unranked, line);
    this.#scores.push(region.score);
    this.#offsets.push((this.#offsets.at(-1) as number) + line.length);
  }

  /** Writes the regions, the highest score first, of equals the first found. */
  writeRanked(): void {
    const order = [...this.#scores.keys()].sort((a, b) => this.#scores[b]! - this.#scores[a]! || a - b);
    const target = fs.openSync(this.#paths.regions, "w");
    try {
      order.forEach((index, i) => {
        const { id, ...rest } = this.#read(index);
        fs.writeSync(target, `${JSON.stringify({ id, rank: i + 1, ...rest })}\n`);
      });
    } finally {
      fs.closeSync(target);
    }
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#images);
    fs.closeSync(this.#unranked);
    fs.rmSync(unrankedPath(this.#paths), { force: true });
  }

  #read(index: number): UnrankedRegion {
    const [from, to] = [this.#offsets[index]!, this.#offsets[index + 1]!];
    const line = Buffer.alloc(to - from);
    fs.readSync(this.#unranked, line, 0, line.length, from);
    return JSON.parse(line.toString()) as UnrankedRegion;
  }
}

function unrankedPath({ regions }: AuditPaths): string {
  return `${regions}.unranked`;
}

/** Returns a path as lists of an audit have it: relative to the run's folder where that is possible, with `/`. */
export function portablePath(runFolder: string, path: string): string {
  return relative(resolve(runFolder), resolve(path)).split(sep).join("/");
}

/** Hashes files, each once: many images may have their labels in one file. */
export class FileHashes {
  readonly #known = new Map<string, Promise<string>>();

  /** Returns the SHA-256 of a file as it was when it was first asked for. */
  sha256(path: string): Promise<string> {
    const known = this.#known.get(path) ?? sha256Of(path);
    this.#known.set(path, known);
    return known;
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of fs.createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
