/** The content of a file is not what its format asks for. The message names the function, the file and the remedy. */
export class FileFormatError extends Error {
  override readonly name = "FileFormatError";
  readonly code = "ERR_FILE_FORMAT";
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** A file could not be opened, read or written. `cause` holds the error of the operating system. */
export class FileAccessError extends Error {
  override readonly name = "FileAccessError";
  readonly code = "ERR_FILE_ACCESS";
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** Returns the words of an error of unknown kind. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Words a {@link FileFormatError} for the file at hand: what was expected and got, then the remedy. */
export type MakeError = (what: string, remedy?: string, cause?: unknown) => FileFormatError;
