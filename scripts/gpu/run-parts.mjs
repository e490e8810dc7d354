import { GRACE_SECONDS } from "./run-process.mjs";

/**
 * @typedef {object} Part What is run.
 * @property {string} name Of its files, too.
 * @property {string} [skipped] Why it does not run here.
 * @property {boolean} [isNeeded] Whether nothing else can run without it.
 * @property {readonly string[]} command
 * @property {number} [limitSeconds] The most that it may take. Default: what is left.
 * @property {number} [share] Of what is left, the most that it may take. Default all.
 * @property {number} [leastSeconds] With less left it is not begun. Default 10.
 * @property {boolean} [endsAtLimit] Whether to be stopped at the limit is its ordinary end.
 * @property {(stdout: string) => readonly Row[]} read What its output says.
 *
 * @typedef {object} Row A line of the table; texts, as shown.
 * @property {string} what
 * @property {string} ours
 * @property {string} [peer]
 * @property {string} [ratio]
 * @property {string} [goal]
 * @property {boolean} [isReached] Whether the goal is; absent where there is none.
 *
 * @typedef {object} PartResult
 * @property {string} name
 * @property {"ok" | "failed" | "skipped"} state
 * @property {string} reason Why not ok.
 * @property {number} seconds
 * @property {readonly Row[]} rows
 */

/**
 * Runs parts one after another until the deadline. One that fails or takes longer than it may is noted, and the next begins.
 *
 * @param {readonly Part[]} parts
 * @param {object} options
 * @param {number} options.deadline When the last part has ended, in milliseconds of `now`.
 * @param {(command: readonly string[], limitSeconds: number, name: string) => Promise<{ code: number | null, isOver: boolean, stdout: string, error: string }>} options.run
 * @param {(result: PartResult) => void} [options.onResult] Called after each part.
 * @param {() => number} [options.now]
 * @returns {Promise<PartResult[]>}
 */
export async function runParts(parts, { deadline, run, onResult = () => {}, now = Date.now }) {
  const results = [];
  let missing = null;
  for (const part of parts) {
    const begin = now();
    const left = (deadline - begin) / 1000 - GRACE_SECONDS;
    const reason = missing ?? part.skipped ?? shortage(part, left);
    const found = reason === null ? await runPart(part, left, run) : { state: "skipped", reason, rows: [] };
    const result = { name: part.name, ...found, seconds: (now() - begin) / 1000 };
    if (part.isNeeded && result.state !== "ok") missing ??= `without ${part.name}`;
    results.push(result);
    onResult(result);
  }
  return results;
}

function shortage({ leastSeconds = 10 }, left) {
  return left >= leastSeconds ? null : `${Math.max(0, Math.round(left))} s were left`;
}

async function runPart(part, left, run) {
  const { name, command, limitSeconds = left, share = 1, endsAtLimit = false, read } = part;
  const limit = Math.min(limitSeconds, share * left);
  const failed = (reason) => ({ state: "failed", reason, rows: [] });
  const { code, isOver, stdout, error } = await run(command, limit, name);
  if (isOver && !endsAtLimit) return failed(`took longer than ${Math.round(limit)} s`);
  try {
    const rows = read(stdout); // a failed part may have something to say: which tests failed
    const isOk = code === 0 || (isOver && endsAtLimit);
    return isOk ? { state: "ok", reason: "", rows } : { ...failed(error), rows };
  } catch (problem) {
    return failed(code === 0 ? problem.message : error || problem.message);
  }
}
