import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAudit } from "./audit.ts";
import { addBenchEval } from "./bench-eval.ts";
import { addBenchLoader } from "./bench-loader.ts";
import { addBenchLoss } from "./bench-loss.ts";
import { addBenchOverhead } from "./bench-overhead.ts";
import { addBenchStep } from "./bench-step.ts";
import { addBenchTraining } from "./bench-training.ts";
import { addCompare } from "./compare.ts";
import { addConfigExplain } from "./config-explain.ts";
import { addConfigSchema } from "./config-schema.ts";
import { addCorrect } from "./correct.ts";
import { addDataCheck } from "./data-check.ts";
import { addDataCoarsen } from "./data-coarsen.ts";
import { addDataPreview } from "./data-preview.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEval } from "./eval.ts";
import { addExport } from "./export.ts";
import { addInit } from "./init.ts";
import { addPredict } from "./predict.ts";
import { addReproduce } from "./reproduce.ts";
import { addSetup } from "./setup.ts";
import { addStudio } from "./studio.ts";
import { addSubmit } from "./submit.ts";
import { addSummary } from "./summary.ts";
import { addTrain } from "./train.ts";
import { addWeightsFetch, addWeightsList, addWeightsPath } from "./weights.ts";

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function addGroup(
  program: Command,
  name: string,
  description: string,
  ...add: ((group: Command) => void)[]
): void {
  const group = program.command(name).helpCommand(false).description(description);
  for (const command of add) command(group);
}

/** The command line, all of it; nothing heavy is loaded before a command runs. */
export function buildProgram(): Command {
  const program = new Command("armseg")
    .description("Trains semantic segmentation networks from coarse, noisy annotations.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError("(add --help for what is expected)");
  program.commandsGroup("Start:");
  addSetup(program);
  addDoctor(program);
  addDemo(program);
  addInit(program);
  program.commandsGroup("Data and configuration:");
  addGroup(program, "data", "look at data, make coarse labels", addDataCheck, addDataCoarsen, addDataPreview);
  addGroup(program, "config", "explain a configuration", addConfigExplain, addConfigSchema);
  addSummary(program);
  addGroup(
    program,
    "weights",
    "list and fetch pretrained weights",
    addWeightsList,
    addWeightsFetch,
    addWeightsPath,
  );
  program.commandsGroup("Train and use:");
  addTrain(program);
  addEval(program);
  addAudit(program);
  addCorrect(program);
  addCompare(program);
  addStudio(program);
  addPredict(program);
  addExport(program);
  addSubmit(program);
  program.commandsGroup("Measure:");
  addReproduce(program);
  addGroup(
    program,
    "bench",
    "time armseg beside its peers",
    addBenchLoss,
    addBenchStep,
    addBenchEval,
    addBenchLoader,
    addBenchTraining,
    addBenchOverhead,
  );
  return program;
}
