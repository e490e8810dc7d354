import { type Command, Option } from "commander";
import { examples } from "./arguments.ts";
import { setOption } from "./config-options.ts";
import { interruptible } from "./interruptible.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly checkpoint: string;
  readonly split: "train" | "val";
  readonly set?: string[];
  readonly json?: true;
}

/** `armseg eval` */
export function addEval(program: Command): void {
  setOption(program.command("eval"))
    .description("score a run: IoU and accuracy of each class, Boundary IoU, the worst images")
    .argument("<run>", "folder of the run")
    .option("--checkpoint <which>", "best, last or a file", "best")
    .addOption(new Option("--split <name>", "what to score on").choices(["val", "train"]).default("val"))
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "eval runs/first",
        "eval runs/first --set evaluation.tta=mmseg --set evaluation.boundary=true",
      ),
    )
    .action(async (folder: string, { json, set, ...options }: Options) => {
      const { evaluateRun, evaluationText } = await import("../training/evaluate-run.ts");
      const outcome = await interruptible(() =>
        evaluateRun({ folder, ...options, ...(set && { overrides: set }) }),
      );
      printResult(outcome, json, evaluationText);
    });
}
