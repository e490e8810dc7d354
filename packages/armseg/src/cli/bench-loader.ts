import type { Command } from "commander";
import type { LoaderBenchResult } from "../bench/loader.ts";
import { textTable } from "../core/text-table.ts";
import { examples, integer } from "./arguments.ts";
import { printResult } from "./output.ts";

/** `armseg bench loader` */
export function addBenchLoader(bench: Command): void {
  bench
    .command("loader")
    .summary("files to batches")
    .description(
      "Images per second on one processor, from PNG to augmented crop, beside the same steps in Python.",
    )
    .option("--images <n>", "images per measurement", integer(1), 40)
    .option("--rounds <n>", "measurements, of which the median counts", integer(1), 3)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench loader", "bench loader --json"))
    .action(async ({ json, ...options }: { images: number; rounds: number; json?: true }) => {
      const { benchLoader } = await import("../bench/loader.ts");
      printResult(await benchLoader(options), json, text);
    });
}

function text({ figures, images }: LoaderBenchResult): string {
  const [ours, ...peers] = figures;
  const rate = ours?.imagesPerSecondPerCore ?? Number.NaN;
  const ratios = peers.map(
    ({ library, imagesPerSecondPerCore }) => `${(rate / imagesPerSecondPerCore).toFixed(2)}× ${library}`,
  );
  return [
    ratios.length === 0 ? "no Python with cv2 or Pillow to compare with" : `${ratios.join(", ")}`,
    `2048×1024 PNG to an augmented 512×1024 crop with its label, ${images} images per measurement`,
    ...textTable(
      figures.map(({ library, imagesPerSecondPerCore }) => [
        library,
        `${imagesPerSecondPerCore.toFixed(2)} images/s per core`,
      ]),
    ),
  ].join("\n");
}
