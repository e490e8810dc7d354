import { stringifyExactly } from "../../core/json-numbers.ts";
import { details, section } from "../page.ts";
import type { ReportData } from "../report-data.ts";

/** What is needed to repeat the run: configuration, machine, what happened on the way. */
export function circumstances(data: ReportData): string {
  const notes = data.events.map(({ iteration, event, message }) => `${iteration}  ${event}  ${message}`);
  const starts = data.environments.map((start) => JSON.stringify(start, null, 2));
  const evaluations = data.evaluations.map(({ confusion: _, ...scores }) => stringifyExactly(scores));
  return section(
    "Circumstances",
    details("Resolved configuration", data.config),
    details(`Environment (${starts.length} starts)`, starts.join("\n")),
    details(`Events (${notes.length})`, lastLines(notes, 500)),
    details(`Evaluations (${evaluations.length}), as in metrics.jsonl`, evaluations.join("\n")),
  );
}

function lastLines(lines: readonly string[], count: number): string {
  const left = lines.length - count;
  return [...(left > 0 ? [`${left} earlier ones are in metrics.jsonl`] : []), ...lines.slice(-count)].join(
    "\n",
  );
}
