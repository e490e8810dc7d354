/**
 * What is wrong with a file or folder of a data set; the message names it and says what to do.
 *
 * `path` lets a loader count and skip the file, or a scan go on to the next one.
 */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly path: string;

  constructor(message: string, path: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.path = path;
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
