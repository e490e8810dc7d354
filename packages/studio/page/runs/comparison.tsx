import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunDetail, RunSummary } from "../../src/api.ts";
import { Chart } from "../charts/chart.tsx";
import { percent, short } from "../core/format.ts";
import { getJson } from "../core/server.ts";
import { seriesColor } from "../core/theme.ts";
import { Scrollable, Select } from "../shell/parts.tsx";
import { aligned, byGroup, seedsBand } from "./series.ts";

/** Reads the details of runs, and again those that have changed. */
function useDetails(runs: readonly RunSummary[]): readonly RunDetail[] {
  const [details, setDetails] = useState<ReadonlyMap<string, RunDetail>>(new Map());
  const stamp = runs.map(({ id, iteration, mIoU }) => `${id} ${iteration} ${mIoU}`).join("\n");
  useEffect(() => {
    const control = new AbortController();
    for (const { id, iteration } of runs) {
      if (details.get(id)?.summary.iteration === iteration) continue;
      getJson<RunDetail>("run", { id }, control.signal)
        .then((detail) => setDetails((before) => new Map(before).set(id, detail)))
        .catch(() => {});
    }
    return () => control.abort();
  }, [stamp]);
  return runs.flatMap(({ id }) => details.get(id) ?? []);
}

/** Runs over one another: losses, scores, a class, and where their configurations differ. */
export function Comparison({
  runs,
  order,
}: {
  readonly runs: readonly RunSummary[];
  readonly order: readonly string[];
}) {
  const details = useDetails(runs);
  const [shown, setShown] = useState("mIoU");
  const [isBand, setBand] = useState(false);
  const color = (id: string) => seriesColor(Math.max(0, order.indexOf(id)));
  const hasRepetitions = useMemo(() => byGroup(details).some((group) => group.length > 1), [details]);
  const classes = details[0]?.classes ?? [];
  const score = (detail: RunDetail) =>
    detail.evaluations.map((evaluation) => ({
      x: evaluation.iteration,
      y: shown === "mIoU" ? evaluation.mIoU : (evaluation.iou[Number(shown)] ?? null),
    }));
  const loss = ({ train }: RunDetail) =>
    train.iteration.map((x, i) => ({ x, y: train.meanLoss[i] ?? train.loss[i] ?? null }));
  if (runs.length === 0) return <p class="loading">Tick runs in the table to see them over one another.</p>;
  const chart = (points: (detail: RunDetail) => { x: number; y: number | null }[]) =>
    isBand && hasRepetitions
      ? seedsBand(byGroup(details), points, seriesColor)
      : { ...aligned(details, points, color), bands: [] };
  return (
    <section class="compared" aria-label="The chosen runs over one another">
      <div class="toolbar">
        <h2>Compared</h2>
        <Select
          label="Score"
          value={shown}
          onChange={setShown}
          options={[
            ["mIoU", "mIoU"],
            ...classes.map(({ name }, i): [string, string] => [String(i), `IoU of ${name}`]),
          ]}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={isBand && hasRepetitions}
            disabled={!hasRepetitions}
            onChange={({ currentTarget }) => setBand(currentTarget.checked)}
          />
          <span>
            seeds as a band
            {!hasRepetitions && <span class="soft"> (no two differ in their seed alone)</span>}
          </span>
        </label>
      </div>
      <div class="charts">
        <Chart title="Mean loss, nats" {...chart(loss)} format={short} height={260} />
        <Chart
          title={shown === "mIoU" ? "mIoU, %" : `IoU of ${classes[Number(shown)]?.name}, %`}
          {...chart(score)}
          format={(value) => percent(value)}
          range={[0, null]}
          height={260}
        />
      </div>
      <Differences details={details} color={color} />
    </section>
  );
}

/** The keys in which configurations differ. */
function Differences({
  details,
  color,
}: {
  readonly details: readonly RunDetail[];
  readonly color: (id: string) => string;
}) {
  const keys = useMemo(() => {
    const all = new Set(details.flatMap(({ config }) => Object.keys(config)));
    return [...all].filter((key) => new Set(details.map(({ config }) => config[key])).size > 1).sort();
  }, [details]);
  if (details.length < 2) return null;
  return (
    <>
      <h2>Where their configurations differ</h2>
      {keys.length === 0 ? (
        <p class="soft">Nowhere.</p>
      ) : (
        <Scrollable class="scroll" label="Differences of the configurations">
          <table class="differences">
            <thead>
              <tr>
                <th>Key</th>
                {details.map(({ summary }) => (
                  <th key={summary.id}>
                    <i class="dot" style={{ background: color(summary.id) }} />
                    {summary.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                  </th>
                  {details.map(({ summary, config }) => (
                    <td key={summary.id}>
                      <code>{config[key] ?? "–"}</code>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scrollable>
      )}
    </>
  );
}
