import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ImageRow, Review, ReviewRegion, VerdictKind } from "../../src/api.ts";
import { percent, short } from "../core/format.ts";
import { useKeys } from "../core/keys.ts";
import { setParams, useRoute } from "../core/route.ts";
import { lastVerdict, runs } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { useAnswer } from "../core/use-answer.ts";
import { CANVAS_KEYS, PixelCanvas, type Place } from "../pixels/canvas.tsx";
import { UNPAINTED } from "../pixels/compositor.ts";
import { useImages } from "../pixels/image-list.tsx";
import { fainter, toggled } from "../pixels/layers-panel.tsx";
import { FIRST_LOOK, LAYERS, type Look, type Viewport } from "../pixels/look.ts";
import { Values } from "../pixels/pixels-view.tsx";
import { usePlanes } from "../pixels/use-planes.ts";
import { valuesAt } from "../pixels/values.ts";
import { Command, Notice, Scrollable, Select, Slider, Swatch, scrollWithin } from "../shell/parts.tsx";
import { outline } from "./mask.ts";
import { Painting } from "./painting.ts";
import { brush, closePolygon, polygon, resized, type ToolKind, type ToolState } from "./tools.ts";
import { give, refused, waiting } from "./verdict-queue.ts";

const NAMES: Readonly<Record<VerdictKind, string>> = {
  keep: "kept",
  prediction: "prediction",
  void: "void",
  painted: "painted",
};

/** The regions that an audit found, one after another, each for a person's verdict. */
export function ReviewView() {
  const { params } = useRoute();
  const all = useStore(runs);
  const audited = all?.filter(({ hasAudit }) => hasAudit) ?? [];
  const run = params.run ?? audited[0]?.id;
  const { data, error } = useAnswer<Review>(run ? "review" : null, { run });
  if (!all) return <p class="loading">Reading …</p>;
  if (!run || error)
    return (
      <Notice title="No audit to review yet">
        <p>
          {error ??
            "An audit reads the training labels once more with the trained network, and lists the regions where the two disagree most."}
        </p>
        {!error && <Command text="npx armseg audit runs/first" />}
        {audited.length > 0 && (
          <p>
            {audited.map(({ id }) => (
              <a key={id} href={`#/review?run=${encodeURIComponent(id)}`}>
                {id}
              </a>
            ))}
          </p>
        )}
      </Notice>
    );
  if (!data) return <p class="loading">Reading the audit …</p>;
  if (data.regions.length === 0)
    return (
      <Notice title="Nothing is suspicious">
        <p>The audit of {run} found no region where the network is sure that the label is another.</p>
      </Notice>
    );
  return <Regions key={run} run={run} runsWithAudit={audited.map(({ id }) => id)} review={data} />;
}

function Regions({
  run,
  runsWithAudit,
  review,
}: {
  readonly run: string;
  readonly runsWithAudit: readonly string[];
  readonly review: Review;
}) {
  const { params } = useRoute();
  const { regions, classes } = review;
  const [verdicts, setVerdicts] = useState<ReadonlyMap<string, VerdictKind | null>>(
    () => new Map(regions.map(({ id, verdict }) => [id, verdict])),
  );
  const [history, setHistory] = useState<readonly { id: string; before: VerdictKind | null }[]>([]);
  const started = useRef({ at: performance.now(), pixels: 0, regions: 0 });
  const [filter, setFilter] = useState("all");
  const shown = useMemo(
    () => regions.filter(({ label }) => filter === "all" || label === Number(filter)),
    [regions, filter],
  );
  const wanted = shown.findIndex(({ id }) => id === params.region);
  const firstOpen = shown.findIndex(({ id }) => !verdicts.get(id));
  const index = wanted >= 0 ? wanted : Math.max(0, firstOpen);
  const region = shown[index] ?? regions[0]!;
  const done = regions.filter(({ id }) => verdicts.get(id)).length;
  const goTo = (to: number) => {
    const next = shown[Math.min(shown.length - 1, Math.max(0, to))];
    if (next) setParams({ region: next.id });
  };
  const decide = (verdict: VerdictKind, painted?: ReturnType<Painting["masks"]>) => {
    give({ run, region: region.id, verdict, ...(painted && { painted }) });
    setHistory((before) => [...before, { id: region.id, before: verdicts.get(region.id) ?? null }]);
    setVerdicts((before) => new Map(before).set(region.id, verdict));
    started.current.pixels += region.area;
    started.current.regions++;
    const next = shown.findIndex(({ id }, i) => i > index && !verdicts.get(id));
    goTo(next >= 0 ? next : index + 1);
  };
  const takeBack = () => {
    const last = history.at(-1);
    if (!last) return;
    setHistory(history.slice(0, -1));
    give({ run, region: last.id, verdict: "undo" });
    setVerdicts((before) => new Map(before).set(last.id, last.before));
    setParams({ region: last.id });
  };
  const told = useStore(lastVerdict);
  useEffect(() => {
    if (told?.run === run) setVerdicts((before) => new Map(before).set(told.region, told.verdict));
  }, [told]);
  return (
    <div class="review">
      <div class="toolbar">
        <h1>Review</h1>
        <Select
          label="Audit of"
          value={run}
          options={runsWithAudit.map((id) => [id, id])}
          onChange={(id) => setParams({ run: id, region: null })}
        />
        <Select
          label="Labelled"
          value={filter}
          options={[
            ["all", "as anything"],
            ...classes.map(({ name }, i): [string, string] => [String(i), name]),
          ]}
          onChange={(next) => {
            setFilter(next);
            setParams({ region: null });
          }}
        />
        <ProgressOf done={done} total={regions.length} all={review.total} started={started.current} />
        <Saved />
      </div>
      <RegionStage
        key={region.id}
        review={review}
        region={region}
        verdict={verdicts.get(region.id) ?? null}
        onDecide={decide}
        onTakeBack={takeBack}
        onNext={() => goTo(index + 1)}
        onPrevious={() => goTo(index - 1)}
      />
      <RegionList regions={shown} verdicts={verdicts} current={region.id} classes={classes} />
      <section>
        <h2>Then</h2>
        <p>
          Every verdict is in the run's <code>audit/verdicts.jsonl</code> already. This writes corrected
          copies of the labels, and says how many pixels changed; your own files stay as they are:
        </p>
        <Command text={review.command} />
      </section>
    </div>
  );
}

function ProgressOf({
  done,
  total,
  all,
  started,
}: {
  readonly done: number;
  readonly total: number;
  readonly all: number;
  readonly started: { readonly at: number; readonly pixels: number; readonly regions: number };
}) {
  const minutes = (performance.now() - started.at) / 60_000;
  return (
    <span class="progress wide" aria-live="polite">
      <progress value={done / total} aria-label={`${done} of ${total} regions`} />
      {done} of {total}
      {all > total && <span class="soft"> (the first of {all})</span>}
      {started.regions > 1 && (
        <span class="soft">
          {" "}
          · {short(Math.round(started.pixels / minutes))} pixels, {(started.regions / minutes).toFixed(1)}{" "}
          regions a minute
        </span>
      )}
    </span>
  );
}

/** Whether everything is on the disk. */
function Saved() {
  const list = useStore(waiting);
  const problem = useStore(refused);
  if (problem)
    return (
      <span class="unsaved" role="alert">
        Not taken: {problem}
      </span>
    );
  return list.length === 0 ? (
    <span class="saved">all saved</span>
  ) : (
    <span class="unsaved" role="alert">
      {list.length} not saved yet
    </span>
  );
}

/** The image around a region, with what can be done about it. */
function RegionStage({
  review,
  region,
  verdict,
  onDecide,
  onTakeBack,
  onNext,
  onPrevious,
}: {
  readonly review: Review;
  readonly region: ReviewRegion;
  readonly verdict: VerdictKind | null;
  readonly onDecide: (verdict: VerdictKind, painted?: ReturnType<Painting["masks"]>) => void;
  readonly onTakeBack: () => void;
  readonly onNext: () => void;
  readonly onPrevious: () => void;
}) {
  const { classes, set } = review;
  const list = useImages(region.imageIndex < 0 ? null : { set, order: "name", text: region.image });
  const row: ImageRow | null = list.rows.find(({ name }) => name === region.image) ?? null;
  const loaded = usePlanes(set, row);
  const planes = loaded?.planes ?? null;
  const [view, setView] = useState<Viewport | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [look, setLook] = useState<Look>({
    ...FIRST_LOOK,
    opacity: { ...FIRST_LOOK.opacity, prediction: 0, label: 0.45 },
  });
  const [tool, setTool] = useState<ToolKind>("view");
  const [radius, setRadius] = useState(6);
  const [paintClass, setPaintClass] = useState(region.prediction);
  const [isOverOwn, setOverOwn] = useState(true);
  const [points, setPoints] = useState<readonly Place[]>([]);
  const [stamp, setStamp] = useState(0);
  const painting = useMemo(
    () => (planes ? new Painting(planes.size, planes.label?.data ?? null) : null),
    [planes],
  );
  const path = useMemo(() => outline(region.mask), [region]);
  const canvasHost = useRef<HTMLDivElement>(null);
  const zoomToRegion = () => {
    const box = canvasHost.current?.querySelector("canvas");
    if (box && planes) setView(around(region, planes.size, [box.height, box.width]));
  };
  // Before anybody can press a key on the image.
  useLayoutEffect(() => {
    if (planes) zoomToRegion();
  }, [planes]);
  const toolState = (): ToolState => ({
    painting: painting!,
    rule: {
      value: tool === "erase" ? UNPAINTED : paintClass,
      over: isOverOwn && tool !== "erase" ? region.label : null,
    },
    radius,
    points,
    onRadius: setRadius,
    onPoints: setPoints,
    onPaint: () => setStamp((before) => before + 1),
  });
  const state = useRef(toolState);
  state.current = toolState;
  const current = useMemo(() => {
    if (!painting || tool === "view") return null;
    return tool === "polygon" ? polygon(() => state.current()) : brush(() => state.current());
  }, [tool, painting]);
  const save = () => {
    if (points.length > 2) closePolygon(toolState());
    const painted = painting?.masks() ?? [];
    if (painted.length > 0) onDecide("painted", painted);
  };
  // What the network doubts is often a part of what was drawn wrong.
  const paintPatch = () => {
    painting?.begin();
    painting?.patch(region.mask, region.label, paintClass);
    setStamp(stamp + 1);
  };
  const undo = () => {
    if (points.length > 0) setPoints(points.slice(0, -1));
    else if (painting?.undo()) setStamp(stamp + 1);
    else onTakeBack();
  };
  const pick = () => {
    const label = planes && place && indexAt(planes.size, place);
    const found = label === null || label === undefined ? undefined : planes?.prediction?.data[label];
    if (found !== undefined) setPaintClass(found);
  };
  useKeys(
    {
      s: () => onDecide("keep"),
      p: () => onDecide("prediction"),
      v: () => onDecide("void"),
      b: () => setTool(tool === "brush" ? "erase" : "brush"),
      y: () => setTool(tool === "polygon" ? "view" : "polygon"),
      m: () => setTool("view"),
      o: () => setOverOwn(!isOverOwn),
      w: paintPatch,
      c: pick,
      u: undo,
      "mod+z": undo,
      enter: save,
      j: onNext,
      k: onPrevious,
      f: zoomToRegion,
      ...CANVAS_KEYS,
      "<": () => setRadius(resized(radius, false)),
      ">": () => setRadius(resized(radius, true)),
      "[": () => setLook(fainter(look, -0.1)),
      "]": () => setLook(fainter(look, 0.1)),
      h: () => setLook((before) => (before.isHidden ? before : { ...before, isHidden: true })),
      escape: () => {
        setPoints([]);
        setTool("view");
      },
      "1": () => setLook(toggled(look, LAYERS[0])),
      "2": () => setLook(toggled(look, LAYERS[1])),
      "3": () => setLook(toggled(look, LAYERS[2])),
      "5": () => setLook(toggled(look, LAYERS[4])),
    },
    { h: () => setLook((before) => ({ ...before, isHidden: false })) },
  );
  const labelName = classes[region.label]?.name ?? `class ${region.label}`;
  const predicted = classes[region.prediction]?.name ?? `class ${region.prediction}`;
  return (
    <div class="stage">
      <div class="panes" ref={canvasHost}>
        <figure class="pane">
          <PixelCanvas
            label={`${region.image}, region ${region.rank}: labelled ${labelName}, predicted ${predicted}`}
            planes={planes}
            classes={classes}
            look={look}
            view={view}
            onView={setView}
            paint={painting && { ...painting.bytes, channels: 1 }}
            paintStamp={stamp}
            tool={current}
            onPoint={setPlace}
            onOverlay={(context, seen) =>
              drawOver(context, seen, {
                path,
                points,
                place,
                radius: tool === "brush" || tool === "erase" ? radius : null,
              })
            }
          >
            {loaded?.problem && <p class="canvas-note">{loaded.problem}</p>}
            {region.imageIndex < 0 && <p class="canvas-note">The audit kept no planes of this image.</p>}
          </PixelCanvas>
          <figcaption>
            <Values values={place && planes ? valuesAt(planes, place, classes, null) : null} />
          </figcaption>
        </figure>
      </div>
      <aside class="side">
        <p class="image-name">
          <b>
            {region.rank}. {region.image}
          </b>
          <span class="soft">
            {short(region.area)} pixels, score {short(region.score)}
            {verdict && ` · verdict: ${NAMES[verdict]}`}
          </span>
        </p>
        <p class="question">
          Labelled <Swatch color={classes[region.label]?.color} />
          <b>{labelName}</b>, seen as <Swatch color={classes[region.prediction]?.color} />
          <b>{predicted}</b> with {percent(region.likelihood, 0)} %.
        </p>
        <div class="verdicts">
          <Verdict
            kind="keep"
            name="Keep the label"
            key_="s"
            current={verdict}
            onGive={() => onDecide("keep")}
          />
          <Verdict
            kind="prediction"
            name={`Make it ${predicted}`}
            key_="p"
            current={verdict}
            onGive={() => onDecide("prediction")}
          />
          <Verdict
            kind="void"
            name="Make it void"
            key_="v"
            current={verdict}
            onGive={() => onDecide("void")}
          />
          <Verdict
            kind="painted"
            name={
              painting && painting.strokes > 0
                ? `Save ${short(painting.pixels)} painted pixels`
                : "Save what is painted"
            }
            key_="Enter"
            current={verdict}
            isDisabled={!painting || (painting.strokes === 0 && points.length < 3)}
            onGive={save}
          />
        </div>
        <fieldset>
          <legend>Paint</legend>
          <div class="buttons">
            {(
              [
                ["view", "Move", "m"],
                ["brush", "Brush", "b"],
                ["erase", "Erase", "b b"],
                ["polygon", "Polygon", "y"],
              ] as const
            ).map(([kind, name, key]) => (
              <button type="button" key={kind} aria-pressed={tool === kind} onClick={() => setTool(kind)}>
                {name} <kbd>{key}</kbd>
              </button>
            ))}
            <button
              type="button"
              title={`All that is labelled ${labelName} and hangs together with the region`}
              onClick={paintPatch}
            >
              Whole patch <kbd>w</kbd>
            </button>
          </div>
          <Select
            label="With"
            value={String(paintClass)}
            options={[...classes.map(({ name }, i): [string, string] => [String(i), name]), ["255", "void"]]}
            onChange={(next) => setPaintClass(Number(next))}
          />
          <label class="check">
            <input type="checkbox" checked={isOverOwn} onChange={() => setOverOwn(!isOverOwn)} />
            <span>
              only over {labelName} <kbd>o</kbd>
            </span>
          </label>
          <div class="layer">
            <span class="check">brush {radius.toFixed(1)} px</span>
            <Slider
              name="Radius of the brush"
              least={0.5}
              most={60}
              step={0.5}
              value={radius}
              onValue={setRadius}
            />
          </div>
        </fieldset>
        <fieldset>
          <legend>Show</legend>
          <div class="buttons">
            {(["label", "prediction", "confidence", "disagreement"] as const).map((layer) => (
              <button
                type="button"
                key={layer}
                aria-pressed={look.opacity[layer] > 0}
                onClick={() => setLook(toggled(look, layer))}
              >
                {layer === "confidence" ? "likelihood" : layer} <kbd>{LAYERS.indexOf(layer) + 1}</kbd>
              </button>
            ))}
          </div>
        </fieldset>
        <div class="buttons">
          <button type="button" onClick={onPrevious}>
            ← <kbd>k</kbd>
          </button>
          <button type="button" onClick={onNext}>
            <kbd>j</kbd> →
          </button>
          <button type="button" onClick={undo}>
            Undo <kbd>u</kbd>
          </button>
          <button type="button" onClick={zoomToRegion}>
            Region <kbd>f</kbd>
          </button>
          <button type="button" onClick={() => setView(null)}>
            Whole <kbd>0</kbd>
          </button>
        </div>
      </aside>
    </div>
  );
}

function Verdict({
  kind,
  name,
  key_,
  current,
  isDisabled = false,
  onGive,
}: {
  readonly kind: VerdictKind;
  readonly name: string;
  readonly key_: string;
  readonly current: VerdictKind | null;
  readonly isDisabled?: boolean;
  readonly onGive: () => void;
}) {
  return (
    <button
      type="button"
      class={`verdict ${kind}`}
      aria-pressed={current === kind}
      disabled={isDisabled}
      onClick={onGive}
    >
      <span>{name}</span>
      <kbd>{key_}</kbd>
    </button>
  );
}

function RegionList({
  regions,
  verdicts,
  current,
  classes,
}: {
  readonly regions: readonly ReviewRegion[];
  readonly verdicts: ReadonlyMap<string, VerdictKind | null>;
  readonly current: string;
  readonly classes: Review["classes"];
}) {
  useEffect(() => scrollWithin(".regions"), [current]);
  return (
    <Scrollable class="regions" label="Regions">
      {regions.map((region) => (
        <button
          type="button"
          key={region.id}
          aria-current={region.id === current ? "true" : undefined}
          class={verdicts.get(region.id) ?? "open"}
          onClick={() => setParams({ region: region.id })}
        >
          <span class="soft">{region.rank}</span>
          <Swatch color={classes[region.label]?.color} />
          {classes[region.label]?.name ?? region.label} → <Swatch color={classes[region.prediction]?.color} />
          {classes[region.prediction]?.name ?? region.prediction}
          <span class="soft">{short(region.area)} px</span>
          <b>{verdicts.get(region.id) ? NAMES[verdicts.get(region.id)!] : ""}</b>
        </button>
      ))}
    </Scrollable>
  );
}

/** The region with as much around it as is needed to judge it, and nothing beyond the image where that can be. */
function around(
  { mask }: ReviewRegion,
  size: readonly [number, number],
  canvas: readonly [number, number],
): Viewport {
  const { top, left, width, height } = mask;
  const wide = Math.min(canvas[1] / (2.4 * width + 40), canvas[0] / (2.4 * height + 40));
  const scale = Math.max(Math.min(24, wide), Math.min(canvas[0] / size[0], canvas[1] / size[1]));
  const side = (middle: number, all: number, seen: number) =>
    all <= seen ? (all - seen) / 2 : Math.min(all - seen, Math.max(0, middle - seen / 2));
  return {
    scale,
    x: side(left + width / 2, size[1], canvas[1] / scale),
    y: side(top + height / 2, size[0], canvas[0] / scale),
  };
}

function indexAt([rows, columns]: readonly [number, number], { x, y }: Place): number | null {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  return column < 0 || row < 0 || column >= columns || row >= rows ? null : row * columns + column;
}

function drawOver(
  context: CanvasRenderingContext2D,
  view: Viewport,
  shown: {
    readonly path: Path2D;
    readonly points: readonly Place[];
    readonly place: Place | null;
    readonly radius: number | null;
  },
): void {
  const { path, points, place, radius } = shown;
  context.save();
  context.setTransform(view.scale, 0, 0, view.scale, -view.x * view.scale, -view.y * view.scale);
  const twice = (draw: () => void) => {
    // Dark under bright, so that it shows on anything.
    for (const [color, width] of [
      ["#000c", 4],
      ["#fff", 1.6],
    ] as const) {
      context.strokeStyle = color;
      context.lineWidth = width / view.scale;
      draw();
    }
  };
  twice(() => context.stroke(path));
  if (points.length > 0)
    twice(() => {
      context.beginPath();
      for (const { x, y } of points) context.lineTo(x, y);
      if (place) context.lineTo(place.x, place.y);
      context.stroke();
    });
  if (place && radius !== null)
    twice(() => {
      context.beginPath();
      context.arc(Math.floor(place.x) + 0.5, Math.floor(place.y) + 0.5, radius + 0.5, 0, 2 * Math.PI);
      context.stroke();
    });
  context.restore();
}
