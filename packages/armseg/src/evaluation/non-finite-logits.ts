/** Logits hold NaN or infinity, and no class can be told: the network has diverged, or its input is broken. */
export class NonFiniteLogitsError extends Error {
  override readonly name = "NonFiniteLogitsError";
  readonly code = "ERR_NON_FINITE_LOGITS";
}

/** Whether this is what went wrong, by the class or by the words of the kernels. */
export function isNonFiniteLogits(error: unknown): boolean {
  return (
    error instanceof NonFiniteLogitsError ||
    (error instanceof Error && error.message.includes("the logits hold NaN or infinity"))
  );
}
