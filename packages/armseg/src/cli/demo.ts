import type { Command } from "commander";
import type { DemoResult } from "../commands/demo.ts";
import { textTable } from "../core/text-table.ts";
import { examples, integer } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly out: string;
  readonly iterations?: number;
  readonly json?: true;
}

/** `armseg demo` */
export function addDemo(program: Command): void {
  program
    .command("demo")
    .summary(
      "generate scenes, train on coarse labels, audit them, train again with ARM and a teacher, compare",
    )
    .description(
      "Generate street scenes, draw coarse labels, some of them wrong; train a small network on them (plain cross entropy), list what it doubts in the labels, train again (ARM, gaps filled by a teacher), score both on fine labels and write a report. The number of iterations is chosen by a few timed steps, so that all of it takes about five minutes where nothing else runs. Needs no data.",
    )
    .option("--out <folder>", "a new folder for everything", "demo")
    .option("--iterations <n>", "of each of the two trainings (default: what fits the time)", integer(10))
    .option("--json", "print JSON")
    .addHelpText("after", examples("demo", "demo --out /tmp/armseg-demo --iterations 100"))
    .action(async ({ out, json, ...options }: Options) => {
      const { runDemo } = await import("../commands/demo.ts");
      const result = await interruptible((signal) => runDemo(out, { ...options, signal }));
      printResult(result, json, demoText);
    });
}

function demoText({ plain, corrected, audit, report }: DemoResult): string {
  const row = (name: string, { evaluation }: DemoResult["plain"]) => [
    name,
    `${evaluation ? (100 * evaluation.mIoU).toFixed(2) : "–"} % mIoU on fine labels`,
  ];
  return [
    ...textTable([row("plain cross entropy", plain), row("ARM, gaps filled by a teacher", corrected)]),
    "",
    `Report: ${report}`,
    `Audit:  ${audit.paths.page}${foundText(audit)}`,
    "Next, with images and masks of your own: armseg init photos masks",
  ].join("\n");
}

function foundText({ summary: { measure } }: DemoResult["audit"]): string {
  const first = measure?.precision.findLast(({ ours }) => ours !== null);
  if (!first || first.ours === null) return "";
  return ` (of the first ${first.regions} regions ${Math.round(first.regions * first.ours)} are labelled wrongly)`;
}
