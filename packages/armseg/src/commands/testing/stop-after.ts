/** A signal that is asked before each iteration, and says stop at the one after so many. */
export function stopAfter(iterations: number): AbortSignal {
  let asked = 0;
  return {
    get aborted() {
      return asked++ >= iterations;
    },
  } as AbortSignal;
}
