import { type Command, Option } from "commander";
import { examples, integer, positive, setOption } from "./arguments.ts";
import { FAILED, UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { printResult, withProgress } from "./output.ts";

interface Options {
  readonly out: string;
  readonly verdicts?: string;
  readonly all?: "prediction" | "void";
  readonly top?: number;
  readonly leastScore?: number;
  readonly set?: readonly string[];
  readonly json?: true;
}

/** `armseg correct` */
export function addCorrect(program: Command): void {
  setOption(program.command("correct"))
    .summary("apply verdicts of an audit to copies of the labels")
    .description(
      "Apply verdicts on the regions of an audit to copies of the training labels. The labels themselves are never written to.",
    )
    .argument("<run>", "folder of the run that was audited")
    .requiredOption("--out <folder>", "new folder for the corrected labels")
    .option("--verdicts <file>", "verdicts, JSON lines; without it those of the audit")
    .addOption(
      new Option(
        "--all <verdict>",
        "also correct regions without a verdict: to what the network predicts, or to void",
      ).choices(["prediction", "void"]),
    )
    .option("--top <n>", "with --all: only the first so many regions", integer(1))
    .option("--least-score <score>", "with --all: only regions of at least this score", positive)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("correct runs/first --out labels-2", "correct runs/first --all void --top 100 --out labels-2"),
    )
    .action(async (folder: string, { json, set, all, top, leastScore, ...options }: Options) => {
      if (all === undefined && (top !== undefined || leastScore !== undefined))
        throw new UsageError("--top and --least-score choose among the regions of --all; give it too");
      const { correctLabels, correctText } = await import("../commands/correct.ts");
      const automatic = all && {
        verdict: all,
        ...(top !== undefined && { top }),
        ...(leastScore !== undefined && { leastScore }),
      };
      const outcome = await interruptible((signal) =>
        withProgress("correct", (onProgress) =>
          correctLabels({
            folder,
            ...options,
            ...(automatic && { automatic }),
            ...(set && { overrides: set }),
            signal,
            onProgress,
          }),
        ),
      );
      printResult(outcome, json, correctText);
      if (outcome.refused.length > 0) process.exitCode ??= FAILED;
    });
}
