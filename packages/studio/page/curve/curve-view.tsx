import { useMemo, useState } from "preact/hooks";
import type { CurveState, MapSet, RunSummary } from "../../src/api.ts";
import { Chart } from "../charts/chart.tsx";
import { short } from "../core/format.ts";
import { useKeys } from "../core/keys.ts";
import { linkTo, setParams, useRoute } from "../core/route.ts";
import { runs } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { isDark, seriesColor } from "../core/theme.ts";
import { useAnswer } from "../core/use-answer.ts";
import { CANVAS_KEYS, PixelCanvas, type Place } from "../pixels/canvas.tsx";
import { Thumbnails, useImages } from "../pixels/image-list.tsx";
import { FIRST_LOOK, type Look, type Viewport } from "../pixels/look.ts";
import { Values } from "../pixels/pixels-view.tsx";
import { usePlanes } from "../pixels/use-planes.ts";
import { valuesAt } from "../pixels/values.ts";
import { Command, Notice, Select } from "../shell/parts.tsx";
import { meanWeight, planeWeights, weightAt } from "./weights.ts";

/** The weight curve of a run over time, and the pixels that it met. */
export function CurveView() {
  const { params } = useRoute();
  const all = useStore(runs);
  const run = all?.find(({ id }) => id === (params.run ?? params.id)) ?? all?.[0];
  const { data: curves, error } = useAnswer<CurveState[]>(
    run ? "curves" : null,
    { id: run?.id ?? "" },
    run?.iteration,
  );
  if (error) return <Notice title="This run's curve cannot be shown">{error}</Notice>;
  if (!all || !run || !curves)
    return <p class="loading">{all?.length === 0 ? "No run yet." : "Reading …"}</p>;
  return (
    <>
      <div class="toolbar">
        <h1>Weight curve</h1>
        <Select
          label="Run"
          value={run.id}
          options={all.map(({ id }): [string, string] => [id, id])}
          onChange={(id) => setParams({ run: id, at: null })}
        />
      </div>
      {curves.length === 0 ? (
        <Notice title="This run has no curve yet">
          <p>
            Runs with reweighting.curve arm or linear log theirs a hundred times or so while they are trained.
          </p>
        </Notice>
      ) : (
        <Curves key={run.id} run={run} curves={curves} />
      )}
    </>
  );
}

function Curves({ run, curves }: { readonly run: RunSummary; readonly curves: readonly CurveState[] }) {
  const { params } = useRoute();
  const asked =
    params.at === undefined
      ? curves.length - 1
      : curves.findIndex(({ iteration }) => iteration >= Number(params.at));
  const index = asked < 0 ? curves.length - 1 : asked;
  const curve = curves[index]!;
  const [bins, setBins] = useState<readonly [number, number] | null>(null);
  const go = (to: number) => {
    const next = curves[Math.min(curves.length - 1, Math.max(0, to))]!;
    setParams({ at: next.iteration });
  };
  useKeys({
    ",": () => go(index - 1),
    ".": () => go(index + 1),
    escape: () => setBins(null),
    ...CANVAS_KEYS,
  });
  const centres = curve.count.map((_, i) => (2 * (i + 0.5)) / curve.count.length - 1);
  const select = (from: number, to: number) => setBins(wholeBins(from, to, curve.count.length));
  const brushed = bins ? pixelsBetween(curve, bins) : null;
  const ofBins = {
    xLabel: "confidence u",
    x: centres,
    format: short,
    range: [0, null],
    xRange: [-1, 1],
    height: 170,
    hidesLegend: true,
    onSelect: select,
    selected: bins,
  } as const;
  return (
    <div class="curve-view">
      <section class="curve-charts">
        <label class="slider">
          <span>
            Iteration <b>{curve.iteration}</b>
            {curve.correlation !== null && (
              <span class="soft"> · correlation with Hölder's optimum {curve.correlation.toFixed(3)}</span>
            )}
          </span>
          <input
            type="range"
            min="0"
            max={curves.length - 1}
            value={index}
            aria-valuetext={`iteration ${curve.iteration}`}
            onInput={({ currentTarget }) => go(Number(currentTarget.value))}
          />
        </label>
        <CurveChart curve={curve} centres={centres} />
        <Chart
          {...ofBins}
          title="Mean loss of the pixels in each bin, nats: drag over bins to see their pixels"
          lines={[{ label: "mean loss", values: curve.meanLoss, color: seriesColor(1), isBars: true }]}
        />
        <Chart
          {...ofBins}
          title="Pixels in each bin"
          lines={[{ label: "pixels", values: curve.count, color: seriesColor(0), isBars: true }]}
        />
        <BinFields bins={bins} onBins={setBins} count={curve.count.length} />
        {brushed && (
          <p class="brushed">
            u from {bins![0].toFixed(2)} to {bins![1].toFixed(2)}: <b>{short(brushed.pixels)}</b> pixels,{" "}
            {(100 * brushed.share).toFixed(1)} % of those met, with {(100 * brushed.weightShare).toFixed(1)} %
            of the weight.
          </p>
        )}
      </section>
      <CurvePixels run={run} curve={curve} bins={bins} />
    </div>
  );
}

function CurveChart({ curve, centres }: { readonly curve: CurveState; readonly centres: readonly number[] }) {
  useStore(isDark);
  const mean = meanWeight(curve) || 1;
  const lines = [
    {
      label: "W(u), mean 1",
      color: seriesColor(0),
      width: 2.4,
      values: curve.learned ?? centres.map((u) => weightAt(curve, u) / mean),
    },
    ...(curve.optimum
      ? [{ label: "Hölder's optimum", color: seriesColor(1), isDashed: true, values: curve.optimum }]
      : []),
  ];
  return (
    <Chart
      title={`Weight of a pixel by its confidence, p = ${curve.p}`}
      xLabel="confidence u"
      x={centres}
      lines={lines}
      format={short}
      range={[0, null]}
      xRange={[-1, 1]}
      height={230}
    />
  );
}

/** The same by keyboard. */
function BinFields({
  bins,
  onBins,
  count,
}: {
  readonly bins: readonly [number, number] | null;
  readonly onBins: (bins: readonly [number, number] | null) => void;
  readonly count: number;
}) {
  const [low, high] = bins ?? [-1, 1];
  const field = (name: string, value: number, set: (value: number) => readonly [number, number]) => (
    <label class="field">
      <span>{name}</span>
      <input
        type="number"
        min="-1"
        max="1"
        step={2 / count}
        value={Number(value.toFixed(4))}
        onChange={({ currentTarget }) => {
          const next = Number(currentTarget.value);
          if (Number.isFinite(next)) onBins(wholeBins(...set(next), count));
        }}
      />
    </label>
  );
  return (
    <div class="toolbar small">
      {field("Light up u from", low, (value) => [value, Math.max(value, high)])}
      {field("to", high, (value) => [Math.min(low, value), value])}
      <button type="button" onClick={() => onBins(null)} disabled={!bins}>
        All bins
      </button>
    </div>
  );
}

/** The images of the run, with the pixels of the brushed bins lit up. */
function CurvePixels({
  run,
  curve,
  bins,
}: {
  readonly run: RunSummary;
  readonly curve: CurveState;
  readonly bins: readonly [number, number] | null;
}) {
  const sets = useAnswer<MapSet[]>("sets", { run: run.id }, run.state).data;
  const set = sets?.find(({ kind }) => kind === "maps") ?? null;
  const list = useImages(set ? { set: set.id, order: "name" } : null);
  const [name, setName] = useState<string | null>(null);
  const row = list.rows.find((known) => known.name === name) ?? list.rows[0] ?? null;
  const loaded = usePlanes(set?.id ?? null, row);
  const [view, setView] = useState<Viewport | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [layer, setLayer] = useState<"none" | "weight" | "confidence" | "prediction">("none");
  const weights = useMemo(() => planeWeights(curve), [curve]);
  const look: Look = {
    ...FIRST_LOOK,
    opacity: { ...FIRST_LOOK.opacity, prediction: 0, ...(layer !== "none" && { [layer]: 0.75 }) },
    range: bins ?? [-1, 1],
    isLit: bins !== null,
  };
  if (!sets) return null;
  if (!set)
    return (
      <section>
        <Notice title="No pixels of this run yet">
          <p>The last evaluation leaves a few samples; those of a whole split are written by</p>
          <Command text={`npx armseg eval ${run.id} --maps`} />
        </Notice>
      </section>
    );
  const lit = bins && loaded?.planes?.confidence ? litPixels(loaded.planes.confidence.data, bins) : null;
  return (
    <section class="curve-pixels" aria-label="Pixels">
      <div class="toolbar small">
        <b>{row?.name}</b>
        <Select
          label="Layer"
          value={layer}
          options={[
            ["none", "image alone"],
            ["weight", "weight"],
            ["confidence", "confidence"],
            ["prediction", "prediction"],
          ]}
          onChange={setLayer}
        />
        <a href={linkTo("pixels", { set: set.id, image: row?.name })}>All layers</a>
        {lit !== null && <span class="soft lit">{lit} pixels lit</span>}
      </div>
      <figure class="pane">
        <PixelCanvas
          label={row?.name ?? "image"}
          planes={loaded?.planes ?? null}
          classes={set.classes}
          look={look}
          view={view}
          onView={setView}
          weights={weights}
          onPoint={setPlace}
        >
          {loaded?.problem && <p class="canvas-note">{loaded.problem}</p>}
        </PixelCanvas>
        <figcaption>
          <Values
            values={place && loaded?.planes ? valuesAt(loaded.planes, place, set.classes, weights) : null}
          />
        </figcaption>
      </figure>
      <Thumbnails
        set={set.id}
        list={list}
        current={row}
        asked={null}
        onChoose={(next) => setName(next.name)}
      />
    </section>
  );
}

/** The stretch widened to whole bins of [-1, 1]. */
export function wholeBins(from: number, to: number, bins: number): readonly [number, number] {
  const width = 2 / bins;
  const low = Math.floor((Math.max(-1, from) + 1) / width + 1e-9) * width - 1;
  const high = Math.ceil((Math.min(1, to) + 1) / width - 1e-9) * width - 1;
  return [low, Math.max(low, high)];
}

function pixelsBetween(curve: CurveState, [low, high]: readonly [number, number]) {
  const { count } = curve;
  const mean = meanWeight(curve);
  const total = count.reduce((sum, pixels) => sum + pixels, 0);
  let [pixels, weight] = [0, 0];
  count.forEach((inBin, i) => {
    const u = (2 * (i + 0.5)) / count.length - 1;
    if (u < low || u > high) return;
    pixels += inBin;
    weight += inBin * weightAt(curve, u);
  });
  return {
    pixels,
    share: total > 0 ? pixels / total : 0,
    weightShare: total * mean > 0 ? weight / (total * mean) : 0,
  };
}

/** As many as the shader lights. */
function litPixels(plane: Uint8Array, [low, high]: readonly [number, number]): number {
  const [from, to] = [Math.round(127.5 * (low + 1)), Math.round(127.5 * (high + 1))];
  let lit = 0;
  for (const byte of plane) if (byte >= from && byte <= to) lit++;
  return lit;
}
