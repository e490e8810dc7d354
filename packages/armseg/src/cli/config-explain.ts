import type { Command } from "commander";
import { explainConfig, explanationText } from "../config/explain-config.ts";
import { examples, setOption } from "./arguments.ts";
import { printResult } from "./output.ts";

/** `armseg config explain` */
export function addConfigExplain(config: Command): void {
  setOption(config.command("explain"))
    .summary("every value and where it came from")
    .description("Print every value of a configuration and where it came from.")
    .argument("<config>", "configuration file")
    .option("--changed", "leave out what has its default")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "config explain armseg.yaml",
        "config explain armseg.yaml --changed --set optimizer.learningRate=0.01",
      ),
    )
    .action((path: string, options: { set?: string[]; changed?: true; json?: true }) => {
      const values = explainConfig(path, options.set);
      const shown = options.changed ? values.filter(({ origin }) => origin !== "default") : values;
      printResult(shown, options.json, explanationText);
    });
}
