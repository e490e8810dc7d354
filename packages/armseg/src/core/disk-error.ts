const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space.",
  EDQUOT: "The disk quota is used up: free some space, or ask for more.",
  EROFS: "The file system can only be read: make it writable, or choose a folder that is.",
  EACCES: "There is no permission to write there: grant it, or choose another folder.",
  EPERM: "There is no permission to write there: grant it, or choose another folder.",
};

/**
 * What to do about an error of the operating system while something was written, as a sentence after a space; empty for one that
 * has no remedy of its own. Looks into the causes of an error too.
 */
export function diskRemedy(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const remedy = REMEDIES[(cause as NodeJS.ErrnoException).code ?? ""];
    if (remedy) return ` ${remedy}`;
  }
  return "";
}
