import type { Command } from "commander";
import { examples, integer, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { printResult, withProgress } from "./output.ts";

interface Options extends SettingOptions {
  readonly checkpoint: string;
  readonly folds: number;
  readonly against?: string | true;
  readonly leastArea?: number;
  readonly planes: boolean;
  readonly json?: true;
}

/** `armseg audit` */
export function addAudit(program: Command): void {
  settingOptions(program.command("audit"))
    .summary("find wrong labels with the network of a run")
    .description(
      "Read the training labels once more beside what the network says of them, and list the regions where it is sure of another class.",
    )
    .argument("<run>", "folder of the run; the audit goes into its folder audit/")
    .option("--checkpoint <which>", "best, last or a file", "best")
    .option(
      "--folds <n>",
      "train so many networks, each on all but a part of the images, to judge that part; 1 takes the run's own",
      integer(1),
      1,
    )
    .option(
      "--against [masks]",
      "measure it by fine labels: a folder of masks by the images' names, or those that the format has",
    )
    .option("--least-area <pixels>", "leave out smaller regions", integer(1))
    .option(
      "--no-planes",
      "leave out the label, prediction and likelihood of each image that armseg studio shows",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("audit runs/first", "audit runs/first --folds 2", "audit runs/first --against masks-fine"),
    )
    .action(async (folder: string, { json, set, device, ...options }: Options) => {
      const [{ auditRun }, { auditText }] = await Promise.all([
        import("../commands/audit.ts"),
        import("../commands/audit-text.ts"),
      ]);
      const outcome = await interruptible((signal) =>
        withProgress("audit", (onProgress) =>
          auditRun({ folder, ...options, overrides: overridesOf({ set, device }), signal, onProgress }),
        ),
      );
      printResult(outcome, json, auditText);
    });
}
