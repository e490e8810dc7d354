/** Writes a command's result to standard output, ending it with one line break. */
export function print(text: string): void {
  process.stdout.write(`${text.trimEnd()}\n`);
}

/** Writes a command's result as JSON, for other programs; what is not a number is `null`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Writes a result in the form that was asked for. */
export function printResult<T>(result: T, json: boolean | undefined, text: (result: T) => string): void {
  if (json) printJson(result);
  else print(text(result));
}
