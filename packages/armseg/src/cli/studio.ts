import { type Command, InvalidArgumentError } from "commander";
import { examples } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { print } from "./output.ts";

interface Options {
  readonly port?: number;
  readonly data: readonly string[];
}

/** What `@armseg/studio` exports. It is not imported by type, as it imports this package. */
interface StudioPackage {
  startStudio(options: {
    readonly folders: readonly string[];
    readonly data: readonly string[];
    readonly port?: number;
  }): Promise<AsyncDisposable & { readonly url: string; readonly runs: number }>;
}

/** `armseg studio` */
export function addStudio(program: Command): void {
  program
    .command("studio")
    .summary("look at runs, pixels and weights in the browser; mend labels")
    .description(
      "Show runs, pixels and weights as a page on this machine, also while a run is trained, and take verdicts on what an audit found. Ctrl-C ends it.",
    )
    .argument("[folders...]", "folders that hold runs or predictions, at any depth", ["runs"])
    .option("--port <n>", "where to listen; default: 4747, or one that is free", port)
    .option(
      "--data <folder>",
      "also read images from here, beside the data that the runs' configurations name; may be repeated",
      (folder: string, before: readonly string[]) => [...before, folder],
      [] as readonly string[],
    )
    .addHelpText("after", examples("studio runs", "studio runs predictions --data photos --port 4747"))
    .action(async (folders: string[], options: Options) => {
      const name = "@armseg/studio"; // in a variable, so that the compiler does not follow it
      const { startStudio } = (await import(name)) as StudioPackage;
      await using studio = await startStudio({ folders, ...options });
      print(
        `${studio.runs} runs in ${folders.join(", ")}. Studio is at\n\n  ${studio.url}\n\nCtrl-C ends it.`,
      );
      await interruptible(
        (signal) => new Promise<void>((done) => signal.addEventListener("abort", () => done())),
      );
    });
}

/** Reads a port, for commander. */
function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError("Expected a number from 0 to 65535.");
}
