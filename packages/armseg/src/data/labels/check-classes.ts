import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import type { ClassInfo } from "../sample.ts";

/**
 * Checks that a data set's classes fit into the bytes of its labels: 0 to 254, as 255 is ignored. Every format asks when it is opened.
 *
 * @throws {DataError} If there are more classes, or two of one name, naming the file.
 */
export function checkClasses(classes: readonly ClassInfo[], path: string): void {
  if (classes.length > IGNORE_INDEX)
    throw new DataError(
      `checkClasses(): expected at most ${IGNORE_INDEX} classes, got ${classes.length} in ${path}; merge some in labels.map or send those that you do not need to ignore`,
      path,
    );
  const names = classes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DataError(
      `checkClasses(): expected each class once, got "${twice}" twice in the classes of ${path}; rename one or leave it out`,
      path,
    );
}
