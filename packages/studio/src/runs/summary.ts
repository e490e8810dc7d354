import { bestEvaluation } from "armseg/runs";
import type { RunState, RunSummary } from "../api.ts";
import type { FoundFolder } from "./find-folders.ts";
import type { RunConfig } from "./run-config.ts";
import type { RunLog } from "./run-log.ts";

/** What a run's folder says beside its log. */
export interface RunFacts {
  readonly folder: FoundFolder;
  readonly config: RunConfig | null;
  readonly isLocked: boolean;
  readonly started: string | null;
  readonly hasAudit: boolean;
  /** Why it cannot be read. */
  readonly problem: string | null;
}

/** Returns a run's row of the table. */
export function runSummary(facts: RunFacts, log: RunLog): RunSummary {
  const { folder, config, problem, started, hasAudit } = facts;
  const state = stateOf(facts, log);
  const seconds = finite(log.timing?.iterationSeconds);
  const planned = log.run?.iterations ?? null;
  const last = log.evaluations.at(-1);
  return {
    id: folder.id,
    name: folder.id.slice(folder.id.lastIndexOf("/") + 1),
    state,
    problem,
    iteration: log.iteration,
    iterations: planned,
    phase: log.lastTrain?.phase ?? null,
    loss: finite(log.lastTrain?.meanLoss ?? log.lastTrain?.loss),
    mIoU: finite(last?.mIoU),
    bestMIoU: finite(bestEvaluation(log.evaluations)?.mIoU),
    aAcc: finite(last?.aAcc),
    iterationSeconds: seconds,
    secondsLeft:
      state === "training" && seconds !== null && planned !== null
        ? Math.max(0, planned - log.iteration) * seconds
        : null,
    started,
    seed: config?.seed ?? null,
    group: config?.group ?? folder.id,
    facts: log.run?.facts ?? {},
    hasAudit,
  };
}

function stateOf({ isLocked, problem }: RunFacts, log: RunLog): RunState {
  if (problem !== null) return "damaged";
  if (isLocked) return log.run ? "training" : "waiting";
  const isOver = log.events.some(({ event }) => event === "earlyStop");
  const planned = log.run?.iterations ?? Number.POSITIVE_INFINITY;
  return isOver || log.iteration >= planned ? "finished" : "stopped";
}

/** JSON has no NaN: what is not a number is nothing. */
export function finite(value: number | undefined | null): number | null {
  return value !== undefined && value !== null && Number.isFinite(value) ? value : null;
}
