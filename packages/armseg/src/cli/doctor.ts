import type { Command } from "commander";
import { examples } from "./arguments.ts";
import { FAILED } from "./exit-codes.ts";
import { printResult } from "./output.ts";

/** `armseg doctor` */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .summary("what armseg runs on here, and what is wrong")
    .description(
      "Look at libtorch, the kernels, processors, codecs and disk; say what is wrong and how to fix it.",
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples("doctor"))
    .action(async (options: { json?: true }) => {
      const { diagnoseSystem, formatSystem } = await import("../commands/doctor.ts");
      const diagnosis = await diagnoseSystem();
      const text = await formatSystem(diagnosis);
      printResult(diagnosis, options.json, () => text);
      if (!diagnosis.isUsable) process.exitCode = FAILED;
    });
}
