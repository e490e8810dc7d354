import { useMemo, useState } from "preact/hooks";
import type { RunSummary } from "../../src/api.ts";
import { duration, percent, short, when } from "../core/format.ts";
import { useKeys } from "../core/keys.ts";
import { linkTo, setParams, useRoute } from "../core/route.ts";
import { runs } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { seriesColor } from "../core/theme.ts";
import { Command, Notice, Scrollable } from "../shell/parts.tsx";
import { Comparison } from "./comparison.tsx";

type Column = "name" | "state" | "iteration" | "loss" | "mIoU" | "bestMIoU" | "aAcc" | "started";

const COLUMNS: readonly (readonly [Column, string])[] = [
  ["name", "Run"],
  ["state", "State"],
  ["iteration", "Iteration"],
  ["loss", "Loss"],
  ["mIoU", "mIoU"],
  ["bestMIoU", "Best"],
  ["aAcc", "aAcc"],
  ["started", "Started"],
];

/** So many are shown over one another, unless somebody chooses. */
const CHOSEN_AT_FIRST = 4;

/** The runs below the given folders as a table that lives, and the chosen ones over one another. */
export function RunsView() {
  const all = useStore(runs);
  const { params } = useRoute();
  const [filter, setFilter] = useState("");
  const [sort, setSort] = useState<{ by: Column; isDown: boolean }>({ by: "started", isDown: true });
  const shown = useMemo(() => sorted(filtered(all ?? [], filter), sort), [all, filter, sort]);
  const chosen = useMemo(() => chosenIds(params.chosen, shown), [params.chosen, shown]);
  useKeys({ "/": () => document.querySelector<HTMLInputElement>("#filter")?.focus() });
  if (!all) return <p class="loading">Reading the runs …</p>;
  if (all.length === 0)
    return (
      <Notice title="No run yet">
        <p>
          There is no run in the folders that Studio was given. Train one; it appears here while it is
          trained.
        </p>
        <Command text="npx armseg train armseg.yaml --out runs/first" />
      </Notice>
    );
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((known) => known !== id) : [...chosen, id];
    setParams({ chosen: JSON.stringify(next) });
  };
  return (
    <>
      <div class="toolbar">
        <h1>Runs</h1>
        <label class="field">
          <span class="hidden">Filter</span>
          <input
            id="filter"
            type="search"
            placeholder="Filter by name, state, network …  ( / )"
            value={filter}
            onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          />
        </label>
        <span class="soft">
          {shown.length === all.length ? `${all.length} runs` : `${shown.length} of ${all.length} runs`}
        </span>
      </div>
      <Scrollable class="scroll runs" label="Table of runs">
        <table>
          <thead>
            <tr>
              <th>
                <span class="hidden">Compare</span>
              </th>
              {COLUMNS.map(([column, title]) => (
                <th key={column} aria-sort={ariaSort(column, sort)} class={isNumber(column) ? "number" : ""}>
                  <button
                    type="button"
                    onClick={() => setSort({ by: column, isDown: sort.by === column ? !sort.isDown : true })}
                  >
                    {title}
                    {sort.by === column ? (sort.isDown ? " ↓" : " ↑") : ""}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <Row key={run.id} run={run} chosen={chosen.indexOf(run.id)} onToggle={() => toggle(run.id)} />
            ))}
          </tbody>
        </table>
      </Scrollable>
      <Comparison runs={shown.filter(({ id }) => chosen.includes(id))} order={chosen} />
    </>
  );
}

function Row({
  run,
  chosen,
  onToggle,
}: {
  readonly run: RunSummary;
  readonly chosen: number;
  readonly onToggle: () => void;
}) {
  const folder = run.id.slice(0, -run.name.length);
  return (
    <tr class={chosen >= 0 ? "chosen" : ""}>
      <td>
        <input
          type="checkbox"
          checked={chosen >= 0}
          aria-label={`Compare ${run.name}`}
          style={chosen >= 0 ? { accentColor: seriesColor(chosen) } : {}}
          onChange={onToggle}
        />
      </td>
      <td class="name">
        <a href={linkTo("run", { id: run.id })}>
          <span class="soft">{folder}</span>
          {run.name}
        </a>
      </td>
      <td>
        <State run={run} />
      </td>
      <td class="number">
        <Progress run={run} />
      </td>
      <td class="number">{short(run.loss)}</td>
      <td class="number">
        <b>{percent(run.mIoU)}</b>
      </td>
      <td class="number">{percent(run.bestMIoU)}</td>
      <td class="number">{percent(run.aAcc)}</td>
      <td class="soft nowrap">{when(run.started)}</td>
    </tr>
  );
}

/** What a run is doing. */
export function State({ run }: { readonly run: RunSummary }) {
  const left = run.secondsLeft === null ? "" : `, ${duration(run.secondsLeft)} left`;
  const phase = run.state === "training" && run.phase === "isolated" ? ", isolated phase" : "";
  return (
    <span class={`state ${run.state}`} title={run.problem ?? ""}>
      {run.state}
      {phase}
      {left}
    </span>
  );
}

function Progress({ run: { iteration, iterations, state } }: { readonly run: RunSummary }) {
  const share = iterations ? Math.min(1, iteration / iterations) : 0;
  return (
    <span class="progress">
      {iteration}
      {iterations !== null && state !== "finished" && <span class="soft"> / {iterations}</span>}
      {state !== "finished" && iterations !== null && (
        <progress value={share} aria-label={`${Math.round(100 * share)} % of the iterations`} />
      )}
    </span>
  );
}

function isNumber(column: Column): boolean {
  return !["name", "state", "started"].includes(column);
}

function ariaSort(column: Column, { by, isDown }: { by: Column; isDown: boolean }) {
  if (column !== by) return "none";
  return isDown ? "descending" : "ascending";
}

function filtered(all: readonly RunSummary[], filter: string): RunSummary[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((run) => {
    const text = [run.id, run.state, ...Object.values(run.facts)].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sorted(all: readonly RunSummary[], { by, isDown }: { by: Column; isDown: boolean }): RunSummary[] {
  const sign = isDown ? -1 : 1;
  return [...all].sort((a, b) => {
    const [left, right] = [a[by], b[by]];
    // What is missing comes last, whichever way.
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  });
}

function chosenIds(chosen: string | undefined, shown: readonly RunSummary[]): string[] {
  if (chosen === undefined) return shown.slice(0, CHOSEN_AT_FIRST).map(({ id }) => id);
  try {
    return (JSON.parse(chosen) as unknown[]).map(String);
  } catch {
    return [];
  }
}
