import { Progress } from "../core/progress.ts";

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
