import type { Command } from "commander";
import { examples } from "./arguments.ts";

interface Options {
  readonly yes?: true;
  readonly cuda?: true;
  readonly print?: true;
  readonly offline?: true;
}

/** `armseg setup` */
export function addSetup(program: Command): void {
  program
    .command("setup")
    .summary("find or bring a libtorch and build the native code against it")
    .description(
      "Find a libtorch (LIBTORCH; the one chosen before; the torch of python3; the system's; one downloaded before; apt's; else the official archive, after a question) and build the native code against it, in the cache of the user. Quick when nothing changed.",
    )
    .option("-y, --yes", "download the official archive without a question, where nothing else is found")
    .option("--cuda", "take a libtorch with CUDA")
    .option("--print", "print what would be done, with commands and addresses, and do nothing")
    .option("--offline", "refuse what needs a network")
    .addHelpText("after", examples("setup", "setup --print", "setup --cuda --yes"))
    .action(async (options: Options) => {
      const { NATIVE_BINDING, setup } = await import("@armseg/torch/setup");
      const { KERNELS } = await import("@armseg/kernels");
      await setup([NATIVE_BINDING, KERNELS], options);
    });
}
