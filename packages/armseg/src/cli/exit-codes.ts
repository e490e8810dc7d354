/** Done. */
export const DONE = 0;
/** Failed, or found what it was asked to look for: problems. */
export const FAILED = 1;
/** The command line or the configuration is wrong; nothing was begun. */
export const WRONG_USAGE = 2;

/** As shells do it: 128 and the signal's number. */
export const INTERRUPTED: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The command line asks for something that makes no sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "ERR_USAGE";
}
