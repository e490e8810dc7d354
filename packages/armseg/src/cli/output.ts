import { printable } from "../core/printable.ts";
import { Progress } from "../core/progress.ts";

/** Writes a command's result to standard output, ending it with one line break. */
export function print(text: string): void {
  process.stdout.write(`${printable(text.trimEnd())}\n`);
}

/** Writes a command's result as JSON, for other programs; what is not a number is `null`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Writes a result in the form that was asked for. */
export function printResult<T>(result: T, json: boolean | undefined, text: (result: T) => string): void {
  if (json) printJson(result);
  else print(text(result));
}

/** Runs work that tells how far it is, with a progress bar on standard error. */
export async function withProgress<T>(
  title: string,
  work: (onProgress: (done: number, total: number, note?: string) => void) => Promise<T>,
): Promise<T> {
  let shown: { readonly total: number; readonly bar: Progress } | undefined;
  const close = () => shown?.bar[Symbol.dispose]();
  try {
    return await work((done, total, note) => {
      if (shown?.total !== total) {
        close();
        shown = { total, bar: new Progress(title, total) };
      }
      shown.bar.update(done, note);
    });
  } finally {
    close();
  }
}
