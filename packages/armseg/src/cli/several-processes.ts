import { type Command, Option } from "commander";
import { isLaunched, launch } from "../distributed/launch.ts";
import { integer } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";

/** `--nproc`, for a command that can share its work among processes. */
export function processesOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--nproc <n>",
      "processes of this host that share the work, on CUDA a GPU each; torchrun and Slurm start their own",
    ).argParser(integer(1)),
  );
}

/**
 * Runs this command line again as several processes, if it asks for them.
 *
 * @returns False where the work is this process's own.
 */
export async function runInProcesses(nproc: number | undefined): Promise<boolean> {
  if (nproc === undefined || nproc === 1 || isLaunched()) return false;
  process.exitCode = await interruptible((signal) =>
    launch({ processes: nproc, args: process.argv.slice(2), signal }),
  );
  return true;
}

/** Whether this process prints the result: it is alone, or the main one of several. */
export async function isMainProcess(): Promise<boolean> {
  const context = await import("../distributed/context.ts"); // heavy: the command has loaded it by now
  return context.isMainProcess();
}
