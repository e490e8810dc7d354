import { binding } from "./native/load.ts";
import { tidy } from "./scope.ts";

function withGradMode<T>(isEnabled: boolean, body: () => T): T {
  binding.pushGradMode(isEnabled);
  try {
    return tidy(body); // refuses a promise, which would run on with the mode switched back
  } finally {
    binding.popGradMode();
  }
}

/** Runs `body` without recording operators for the backward pass. It is a {@link tidy} of its own. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` with recording switched on inside a {@link noGrad}. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

/**
 * Runs `body` in inference mode: as {@link noGrad}, and cheaper, since views and versions are not tracked either. What it
 * makes can never take part in a backward pass.
 */
export function inferenceMode<T>(body: () => T): T {
  binding.pushInferenceMode();
  try {
    return tidy(body);
  } finally {
    binding.popInferenceMode();
  }
}

/** Tells whether operators are being recorded. */
export function isGradEnabled(): boolean {
  return binding.isGradEnabled();
}
