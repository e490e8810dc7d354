import { type Command, Option } from "commander";
import { examples } from "./arguments.ts";
import { UsageError } from "./exit-codes.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly out: string;
  readonly format: "onnx" | "torch";
  readonly names?: "mmsegmentation" | "torchvision";
  readonly output: "logits" | "likelihoods" | "classes";
  readonly confidence?: true;
  readonly quantise?: "float16" | "int8";
  readonly license?: string;
  readonly checkpoint: string;
  readonly overwrite?: true;
  readonly json?: true;
}

/** `armseg export` */
export function addExport(program: Command): void {
  program
    .command("export")
    .summary("write the network of a run for others: ONNX, PyTorch")
    .description(
      "Write the network of a run as an ONNX model for any image size, and compare both where onnxruntime-node is installed; or its weights as a state dict of PyTorch.",
    )
    .argument("<run>", "folder of the run")
    .requiredOption("--out <file>", "the model, e.g. model.onnx")
    .addOption(new Option("--format <name>", "what to write").choices(["onnx", "torch"]).default("onnx"))
    .addOption(
      new Option(
        "--names <whose>",
        "names of a state dict; torchvision: of the backbone alone (default: mmsegmentation)",
      ).choices(["mmsegmentation", "torchvision"]),
    )
    .addOption(
      new Option("--output <kind>", "what the model gives for each pixel")
        .choices(["logits", "likelihoods", "classes"])
        .default("logits"),
    )
    .option("--confidence", "also give the likelihood of the likeliest class")
    .addOption(
      new Option("--quantise <precision>", "keep weights in fewer bits; the loss of mIoU is printed").choices(
        ["float16", "int8"],
      ),
    )
    .option("--license <text>", "licence of the data, kept in the model")
    .option("--checkpoint <which>", "best, last or a file", "best")
    .option("--overwrite", "replace a file that exists")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "export runs/first --out model.onnx",
        "export runs/first --out model.onnx --output classes --confidence",
        "export runs/first --out model.pth --format torch",
      ),
    )
    .action(async (folder: string, { json, format, names, ...options }: Options) => {
      const { exportRun, exportText, exportWeights } = await import("../commands/export.ts");
      if (format === "torch") {
        if (options.quantise || options.confidence || options.license)
          throw new UsageError(
            "--quantise, --confidence and --license are for models; a state dict has none of them",
          );
        const { out, checkpoint, overwrite = false } = options;
        const written = await exportWeights({ folder, out, checkpoint, overwrite, ...(names && { names }) });
        printResult(
          written,
          json,
          (result) => `${out}: a state dict in ${result.names}'s names, from ${result.checkpoint}`,
        );
        return;
      }
      if (names) throw new UsageError("--names is for --format torch; a model keeps the network's names");
      printResult(await exportRun({ folder, ...options }), json, exportText);
    });
}
