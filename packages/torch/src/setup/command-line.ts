import { parseArgs } from "node:util";
import { NATIVE_BINDING } from "../native/package.ts";
import type { NativePackage } from "./native-package.ts";
import { type SetupOptions, setup } from "./setup.ts";

const OPTIONS = {
  yes: { type: "boolean", short: "y" },
  cuda: { type: "boolean" },
  print: { type: "boolean" },
  offline: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = `Finds or brings a libtorch and builds the native code against it, in the cache of the user.

  --yes      download the official archive without a question, where nothing else is found
  --cuda     take a libtorch with CUDA
  --print    print what would be done, with commands and addresses, and do nothing
  --offline  refuse what needs a network

LIBTORCH=/path/to/libtorch names one; later set-ups keep to it. ARMSEG_CACHE names the folder of builds and archives.
`;

/** Reads the arguments of a set-up and runs it; sets the exit code: 1 for what failed, 2 for wrong usage. */
export async function setupCommand(
  args: string[],
  command: string,
  packages: readonly NativePackage[] = [NATIVE_BINDING],
): Promise<void> {
  try {
    const { help, ...options } = parseArgs({ args, options: OPTIONS }).values;
    if (help) process.stdout.write(`${command} [--yes] [--cuda] [--print] [--offline]\n\n${HELP}`);
    else await setup(packages, { ...(options as SetupOptions), command });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    process.stderr.write(`\nsetup: ${message}\n`);
    process.exitCode = code?.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
  }
}
