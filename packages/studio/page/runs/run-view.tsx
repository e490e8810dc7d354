import type { MapSet, RunDetail } from "../../src/api.ts";
import { Chart } from "../charts/chart.tsx";
import { css, duration, percent, short, when } from "../core/format.ts";
import { linkTo, useRoute } from "../core/route.ts";
import { runs } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { cssColor, seriesColor } from "../core/theme.ts";
import { useAnswer } from "../core/use-answer.ts";
import { Command, Notice, Swatch, Tile } from "../shell/parts.tsx";
import { ConfusionTable } from "./confusion-table.tsx";
import { State } from "./runs-view.tsx";

/** One run: what it is, what it does, its curves, classes and confusions. */
export function RunView() {
  const { params } = useRoute();
  const id = params.id ?? "";
  const live = useStore(runs)?.find((run) => run.id === id);
  const { data, error } = useAnswer<RunDetail>("run", { id }, `${live?.iteration} ${live?.state}`);
  const sets = useAnswer<MapSet[]>("sets", { run: id }, live?.state).data ?? [];
  if (error)
    return (
      <Notice title="This run cannot be shown">
        <p>{error}</p>
        <p>
          <a href={linkTo("runs")}>All runs</a>
        </p>
      </Notice>
    );
  if (!data) return <p class="loading">Reading the run …</p>;
  const summary = live ?? data.summary;
  const set = sets.find(({ hasLabels }) => hasLabels);
  return (
    <>
      <div class="toolbar">
        <h1>{summary.name}</h1>
        <State run={summary} />
        <span class="links">
          <a href={linkTo("curve", { run: id })}>Curve</a>
          <a href={linkTo("pixels", { run: id })}>Pixels</a>
          <a href={linkTo("review", { run: id })}>Review</a>
        </span>
      </div>
      {summary.problem && <p class="lost">{summary.problem}</p>}
      <div class="tiles">
        <Tile name="mIoU, %">{percent(summary.mIoU)}</Tile>
        <Tile name="best mIoU, %">{percent(summary.bestMIoU)}</Tile>
        <Tile name="aAcc, %">{percent(summary.aAcc)}</Tile>
        <Tile name="mean loss, nats">{short(summary.loss)}</Tile>
        <Tile name={summary.iterations === null ? "iteration" : `of ${summary.iterations} iterations`}>
          {summary.iteration}
        </Tile>
        <Tile name="seconds an iteration">{short(summary.iterationSeconds)}</Tile>
        {summary.secondsLeft !== null && <Tile name="left">{duration(summary.secondsLeft)}</Tile>}
      </div>
      <div class="charts">
        <LossChart detail={data} />
        <ScoreChart detail={data} />
      </div>
      <div class="columns">
        <Classes detail={data} />
        <Facts detail={data} />
      </div>
      {data.confusion && (
        <ConfusionTable
          confusion={data.confusion}
          classes={data.classes}
          linkOf={(label, prediction) =>
            set ? linkTo("pixels", { set: set.id, order: "cell", label, prediction }) : null
          }
        />
      )}
      {data.events.length > 0 && (
        <section>
          <h2>Events</h2>
          <ul class="events">
            {data.events.slice(-30).map((event, i) => (
              <li key={i}>
                <b>{event.event}</b> at {event.iteration}: {event.message}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function LossChart({ detail: { train } }: { readonly detail: RunDetail }) {
  return (
    <Chart
      title="Loss, nats"
      x={train.iteration}
      format={short}
      lines={[
        { label: "mean over the pixels", values: train.meanLoss, color: seriesColor(0) },
        { label: "minimised", values: train.loss, color: seriesColor(1), isDashed: true },
      ]}
    />
  );
}

function ScoreChart({ detail: { evaluations } }: { readonly detail: RunDetail }) {
  if (evaluations.length === 0)
    return (
      <figure class="chart">
        <figcaption>mIoU, %</figcaption>
        <p class="soft">No evaluation yet.</p>
      </figure>
    );
  return (
    <Chart
      title="mIoU and aAcc, %"
      x={evaluations.map(({ iteration }) => iteration)}
      format={(value) => percent(value)}
      range={[0, null]}
      lines={[
        {
          label: "mIoU",
          values: evaluations.map(({ mIoU }) => mIoU),
          color: seriesColor(0),
          hasPoints: true,
        },
        {
          label: "aAcc",
          values: evaluations.map(({ aAcc }) => aAcc),
          color: seriesColor(2),
          hasPoints: true,
        },
      ]}
    />
  );
}

function Classes({ detail: { classes, evaluations } }: { readonly detail: RunDetail }) {
  const last = evaluations.at(-1);
  const before = evaluations.at(-2);
  if (!last) return null;
  const rows = classes
    .map((info, i) => ({ info, iou: last.iou[i] ?? null, before: before?.iou[i] ?? null }))
    .sort((a, b) => (a.iou ?? 2) - (b.iou ?? 2));
  return (
    <section>
      <h2>IoU of each class, %</h2>
      <table class="classes">
        <tbody>
          {rows.map(({ info, iou, before: earlier }) => (
            <tr key={info.name}>
              <th scope="row">
                <Swatch color={info.color} />
                {info.name}
              </th>
              <td class="bar">
                <span
                  style={{
                    width: `${100 * (iou ?? 0)}%`,
                    background: css(info.color),
                    borderColor: cssColor("--line"),
                  }}
                />
              </td>
              <td class="number">{percent(iou)}</td>
              <td class="number soft">{iou !== null && earlier !== null ? signed(iou - earlier) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function signed(share: number): string {
  return `${share >= 0 ? "+" : "−"}${percent(Math.abs(share))}`;
}

function Facts({ detail }: { readonly detail: RunDetail }) {
  const { summary, command, host, config } = detail;
  const rows = [
    ...Object.entries(summary.facts),
    ["started", when(summary.started)],
    ...(host ? [["host", host]] : []),
  ];
  return (
    <section>
      <h2>What it is</h2>
      <table class="facts">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {command && <Command text={command} />}
      <details>
        <summary>Configuration</summary>
        <table class="facts">
          <tbody>
            {Object.entries(config).map(([key, value]) => (
              <tr key={key}>
                <th scope="row">
                  <code>{key}</code>
                </th>
                <td>
                  <code>{value}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
