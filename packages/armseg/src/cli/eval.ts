import { type Command, Option } from "commander";
import type { EvaluationOutcome } from "../commands/evaluate.ts";
import { textTable } from "../core/text-table.ts";
import { examples, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { UsageError } from "./exit-codes.ts";
import { checkModelOptions, dataOption } from "./model-arguments.ts";
import { print, printJson, withProgress } from "./output.ts";
import { isMainProcess, processesOption, runInProcesses } from "./several-processes.ts";

interface Options extends SettingOptions {
  readonly checkpoint: string;
  readonly data?: string;
  readonly split: "train" | "val";
  readonly splitErrors?: true;
  readonly coarse?: string;
  readonly maps?: true;
  readonly nproc?: number;
  readonly json?: true;
}

const WORST_SHOWN = 5;

/** `armseg eval` */
export function addEval(program: Command): void {
  processesOption(settingOptions(program.command("eval")))
    .summary("score a run or a model")
    .description(
      "Score a run or an exported model: IoU and accuracy of each class, Boundary IoU, the worst images.",
    )
    .argument("<run>", "folder of the run, or an exported model (.onnx)")
    .addOption(dataOption("data and evaluation settings"))
    .option("--checkpoint <which>", "best, last or a file", "best")
    .addOption(new Option("--split <name>", "what to score on").choices(["val", "train"]).default("val"))
    .option(
      "--split-errors",
      "say where the errors are: coarse label right, wrong, void near a border, void elsewhere",
    )
    .option("--coarse <folder>", "coarse masks by the images' names, where the format has none of its own")
    .option("--maps", "also write label, prediction and confidence of each image, for armseg studio")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "eval runs/first",
        "eval runs/first --set evaluation.tta=mmseg --set evaluation.boundary=true",
        "eval runs/first --split-errors --coarse masks-coarse/labels",
        "eval model.onnx --data armseg.yaml",
      ),
    )
    .action(async (folder: string, { json, set, device, nproc, ...options }: Options) => {
      if (options.coarse !== undefined && !options.splitErrors)
        throw new UsageError("--coarse names labels for --split-errors; give both");
      checkModelOptions(folder, { ...options, device, nproc, needsData: true });
      if (await runInProcesses(nproc)) return;
      const { evaluateModel, evaluateRun, evaluationText } = await import("../commands/evaluate.ts");
      const { readConfig } = await import("../config/read-config.ts");
      const { data, ...shared } = options;
      const overrides = overridesOf({ set, device });
      const outcome = await withProgress("evaluate", (onProgress) =>
        data === undefined
          ? evaluateRun({ folder, ...shared, overrides, onProgress })
          : evaluateModel({ path: folder, config: readConfig(data, overrides), ...shared, onProgress }),
      );
      if (!(await isMainProcess())) return;
      if (json) printJson(forPrograms(outcome));
      else print(`${evaluationText(outcome)}\n${worstText(outcome)}`);
    });
}

/** Without the list of files. */
function forPrograms({ checkpoint, dataset, result, maps }: EvaluationOutcome) {
  const { confusion, ...rest } = result;
  const classes = dataset.classes.map(({ name }) => name);
  return {
    checkpoint,
    dataset: dataset.name,
    split: dataset.split,
    classes,
    ...rest,
    confusion: confusion.toArray(),
    ...(maps !== undefined && { maps }),
  };
}

function worstText({ result }: EvaluationOutcome): string {
  const rows = result.worst
    .slice(0, WORST_SHOWN)
    .map(({ name, score }) => [`  ${(100 * score).toFixed(2)}`, name]);
  return ["Lowest mIoU of an image:", ...textTable(rows, { left: [1] })].join("\n");
}
