import { statfs } from "node:fs/promises";
import type { Diagnosis, Problem } from "@armseg/torch";
import { textTable } from "../core/text-table.ts";

/** What a machine brings for armseg, and what it lacks. */
export interface SystemDiagnosis {
  /** Whether training can run at all; a slow machine is usable. */
  readonly isUsable: boolean;
  /** `null` where libtorch does not load; the problems say why. */
  readonly engine: Diagnosis | null;
  readonly kernels: { readonly isLoaded: boolean; readonly instructionSet: string | null };
  readonly images: { readonly library: string; readonly formats: Readonly<Record<string, boolean>> };
  readonly disk: { readonly folder: string; readonly freeBytes: number };
  readonly node: string;
  readonly problems: readonly Problem[];
}

/** A run of a large network keeps a few checkpoints of half a gigabyte. */
const LITTLE_DISK_BYTES = 5e9;
const FORMATS = ["png", "jpeg", "webp", "tiff", "gif"] as const;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function findEngine(): Promise<{ engine: Diagnosis | null; problems: Problem[] }> {
  try {
    const { diagnose } = await import("@armseg/torch");
    const engine = diagnose();
    return { engine, problems: [...engine.problems] };
  } catch (error) {
    return { engine: null, problems: [{ what: messageOf(error), remedy: "npx armseg setup" }] };
  }
}

async function findKernels(
  hasEngine: boolean,
): Promise<SystemDiagnosis["kernels"] & { problems: Problem[] }> {
  if (!hasEngine) return { isLoaded: false, instructionSet: null, problems: [] };
  try {
    const { cpuCapability } = await import("@armseg/kernels");
    return { isLoaded: true, instructionSet: cpuCapability(), problems: [] };
  } catch (error) {
    const what = `the fused kernels do not load, losses are then up to a hundred times slower: ${messageOf(error)}`;
    return { isLoaded: false, instructionSet: null, problems: [{ what, remedy: "npx armseg setup" }] };
  }
}

async function findImageReader(): Promise<SystemDiagnosis["images"] & { problems: Problem[] }> {
  try {
    const { default: sharp } = await import("sharp");
    const formats = Object.fromEntries(
      FORMATS.map((format) => [format, sharp.format[format]?.input.file ?? false]),
    );
    const missing = FORMATS.filter((format) => !formats[format]);
    const problems = missing.map((format) => ({
      what: `sharp reads no ${format} here`,
      remedy: "npm install sharp",
    }));
    return { library: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`, formats, problems };
  } catch (error) {
    return {
      library: "none",
      formats: {},
      problems: [{ what: `sharp does not load: ${messageOf(error)}`, remedy: "npx armseg setup" }],
    };
  }
}

async function findDisk(folder: string): Promise<SystemDiagnosis["disk"] & { problems: Problem[] }> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const what = `only ${(freeBytes / 1e9).toFixed(1)} GB are free in ${folder}`;
  const remedy = "make room, or keep runs elsewhere: armseg train --out";
  return { folder, freeBytes, problems: freeBytes < LITTLE_DISK_BYTES ? [{ what, remedy }] : [] };
}

/** Looks at everything that armseg stands on, measures the processor, and says what is wrong. Takes a second or two. */
export async function diagnoseSystem(): Promise<SystemDiagnosis> {
  const { engine, problems: engineProblems } = await findEngine();
  const { problems: kernelProblems, ...kernels } = await findKernels(engine !== null);
  const { problems: imageProblems, ...images } = await findImageReader();
  const { problems: diskProblems, ...disk } = await findDisk(process.cwd());
  return {
    isUsable: engine !== null && images.library !== "none",
    engine,
    kernels,
    images,
    disk,
    node: process.versions.node,
    problems: [...engineProblems, ...kernelProblems, ...imageProblems, ...diskProblems],
  };
}

/** The engine's facts, by the engine itself, which is only loaded where it loads. */
async function engineRows(engine: Diagnosis | null): Promise<[string, string][]> {
  if (!engine) return [["libtorch", "does not load"]];
  const { diagnosisRows } = await import("@armseg/torch");
  return diagnosisRows(engine);
}

/** The diagnosis as lines for a terminal: facts, then problems with their remedies. */
export async function formatSystem(diagnosis: SystemDiagnosis): Promise<string> {
  const { engine, kernels, images, disk, node, problems } = diagnosis;
  const formats = Object.entries(images.formats).flatMap(([format, isRead]) => (isRead ? [format] : []));
  const rows: [string, string][] = [
    ["Node", node],
    ...(await engineRows(engine)),
    ["fused kernels", kernels.isLoaded ? `${kernels.instructionSet}` : "not loaded"],
    ["images", `${images.library}  ${formats.join(", ")}`],
    ["free disk", `${(disk.freeBytes / 1e9).toFixed(1)} GB in ${disk.folder}`],
  ];
  const facts = textTable(rows, { left: [0, 1] });
  const found = problems.map(({ what, remedy }) => `! ${what}\n  ${remedy}`);
  return [...facts, "", ...(found.length > 0 ? found : ["Nothing is wrong."])].join("\n");
}
