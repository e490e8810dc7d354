import { LabelRangeError } from "./labels.ts";
import { NonFiniteLossError } from "./pixel-maps.ts";

/**
 * Gives the kernel's errors the classes that the composed loss throws; its messages name image, row and column.
 *
 * A GPU is not waited for: it tells of its errors at a later call. A loss that was not finite has been NaN for whoever read it
 * then, and the call that is told of it is sound: it is made again.
 */
export function namingErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split("\n")[0] as string) : String(cause);
    if (/\(\): label /.test(message)) throw new LabelRangeError(message, { cause });
    if (!/the loss is not finite/.test(message)) throw cause;
    if (/in an earlier call/.test(message)) return namingErrors(body);
    throw new NonFiniteLossError(message, { cause });
  }
}
