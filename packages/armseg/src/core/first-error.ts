/**
 * Runs `body`; where it fails and so does what is closed behind it (`using`), throws its own error: the first one says what went
 * wrong, those of a disk that stays full while files are closed say nothing more.
 */
export async function withFirstError<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw firstError(error);
  }
}

/** Helpers of compilers make errors of this form where Node has no class for it. */
interface Suppressed {
  readonly name: "SuppressedError";
  readonly suppressed: unknown;
}

function firstError(error: unknown): unknown {
  return isSuppressed(error) ? firstError(error.suppressed) : error;
}

function isSuppressed(error: unknown): error is Suppressed {
  return error instanceof Error && error.name === "SuppressedError" && "suppressed" in error;
}
