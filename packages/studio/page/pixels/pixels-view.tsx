import { useMemo, useState } from "preact/hooks";
import type { CurveState, ImageOrder, ImageRow, MapSet } from "../../src/api.ts";
import { percent, short } from "../core/format.ts";
import { useKeys } from "../core/keys.ts";
import { linkTo, setParams, useRoute } from "../core/route.ts";
import { useAnswer } from "../core/use-answer.ts";
import { useTick } from "../core/use-tick.ts";
import { curveUntil, planeWeights } from "../curve/weights.ts";
import { ConfusionTable } from "../runs/confusion-table.tsx";
import { Command, Notice, Select } from "../shell/parts.tsx";
import { CANVAS_KEYS, PixelCanvas, type Place, toCanvas } from "./canvas.tsx";
import { Thumbnails, useImages } from "./image-list.tsx";
import { fainter, LayersPanel, toggled } from "./layers-panel.tsx";
import { FIRST_LOOK, LAYERS, type Layer, type Look, type Viewport } from "./look.ts";
import { type LoadedPlanes, usePlanes } from "./use-planes.ts";
import { valuesAt } from "./values.ts";

const ORDERS: readonly (readonly [ImageOrder, string])[] = [
  ["name", "as they come"],
  ["mIoU", "worst mIoU"],
  ["disagreement", "most disagreement"],
  ["audit", "lowest label quality"],
  ["class", "worst IoU of a class"],
  ["cell", "a confusion"],
];

/** Maps that are written meanwhile appear. */
const LOOK_AGAIN_MS = 4000;

/** Images with their layers: one, or the same one of two sets side by side. */
export function PixelsView() {
  const { params } = useRoute();
  const { data: sets, error } = useAnswer<MapSet[]>("sets", {}, useTick(LOOK_AGAIN_MS));
  if (error) return <Notice title="Nothing to show">{error}</Notice>;
  if (!sets) return <p class="loading">Reading …</p>;
  const set = sets.find(({ id }) => id === params.set) ?? bestSet(sets, params.run);
  if (!set) return <NoMaps run={params.run} />;
  return <Viewer key={set.id} set={set} sets={sets} />;
}

/** Of a run, or of all, the first: whole evaluations come before samples. */
function bestSet(sets: readonly MapSet[], run: string | undefined): MapSet | undefined {
  return run === undefined ? sets[0] : sets.find((set) => set.run === run);
}

function NoMaps({ run }: { readonly run: string | undefined }) {
  return (
    <Notice title="No pixels to look at yet">
      <p>
        A run that has finished has a few samples. The predictions of a whole split, with label and confidence
        of every pixel, are written by
      </p>
      <Command text={`npx armseg eval ${run ?? "runs/first"} --maps`} />
      <p>and those of any images by</p>
      <Command text={`npx armseg predict ${run ?? "runs/first"} photos --out predictions --maps`} />
      <p>
        They appear here at once. <a href={linkTo("runs")}>All runs</a>
      </p>
    </Notice>
  );
}

function Viewer({ set, sets }: { readonly set: MapSet; readonly sets: readonly MapSet[] }) {
  const { params } = useRoute();
  const order = ORDERS.find(([key]) => key === params.order)?.[0] ?? (set.hasLabels ? "mIoU" : "name");
  const wanted = Number(params.class ?? 0);
  const cell = order === "cell" ? ([Number(params.label), Number(params.prediction)] as const) : null;
  const [text, setText] = useState("");
  const list = useImages({
    set: set.id,
    order,
    text: text || undefined,
    class: wanted,
    ...(cell && { label: cell[0], prediction: cell[1] }),
  });
  const row = list.rows.find(({ name }) => name === params.image) ?? list.rows[0] ?? null;
  const at = row ? list.rows.indexOf(row) : -1;
  const [look, setLook] = useState<Look>(FIRST_LOOK);
  const [view, setView] = useState<Viewport | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const loaded = usePlanes(set.id, row, list.rows[at + 1] ?? null);
  const second = sets.find(({ id }) => id === params.beside) ?? null;
  const beside = useBeside(second, row);
  const weights = useWeights(set);
  const available = useMemo(() => layersOf(loaded), [loaded]);
  const choose = (next: ImageRow | undefined) => next && setParams({ image: next.name });
  useKeys(
    {
      j: () => {
        if (at + 2 >= list.rows.length) list.readMore();
        choose(list.rows[at + 1]);
      },
      k: () => choose(list.rows[at - 1]),
      h: () => setLook((before) => (before.isHidden ? before : { ...before, isHidden: true })),
      a: () => setLook((before) => ({ ...before, onlyClass: null })),
      "[": () => setLook((before) => fainter(before, -0.1)),
      "]": () => setLook((before) => fainter(before, 0.1)),
      ...CANVAS_KEYS,
      ...Object.fromEntries(
        LAYERS.map((layer, i) => [String(i + 1), () => setLook((before) => toggled(before, layer))]),
      ),
    },
    { h: () => setLook((before) => ({ ...before, isHidden: false })) },
  );
  const values = (of: LoadedPlanes | null, own: MapSet, table: readonly number[] | null) =>
    place && of?.planes ? valuesAt(of.planes, place, own.classes, table) : null;
  const pane = (of: LoadedPlanes | null, own: MapSet, table: readonly number[] | null) => (
    <figure class="pane">
      <PixelCanvas
        label={`${row?.name ?? "image"}, ${own.title}`}
        planes={of?.planes ?? null}
        classes={own.classes}
        look={look}
        view={view}
        onView={setView}
        weights={table}
        onPoint={setPlace}
      >
        {of?.problem && <p class="canvas-note">{of.problem}</p>}
      </PixelCanvas>
      <figcaption>
        {second && <b class="pane-title">{own.title}</b>}
        <Values values={values(of, own, table)} />
      </figcaption>
    </figure>
  );
  return (
    <div class="viewer">
      <div class="toolbar">
        <h1>Pixels</h1>
        <Select
          label="Of"
          value={set.id}
          options={sets.map(({ id, title, images }) => [id, `${title} (${images})`])}
          onChange={(id) => setParams({ set: id, order: null, image: null })}
        />
        <Select
          label="Beside"
          value={second?.id ?? ""}
          options={[
            ["", "nothing"],
            ...sets.filter(({ id }) => id !== set.id).map(({ id, title }): [string, string] => [id, title]),
          ]}
          onChange={(id) => setParams({ beside: id || null })}
        />
        <Select
          label="Sorted by"
          value={order}
          options={ORDERS.filter(([key]) => isPossible(key, set))}
          onChange={(next) =>
            setParams({ order: next, image: null, ...(next === "cell" && { label: 0, prediction: 1 }) })
          }
        />
        {order === "class" && (
          <Select
            label="Class"
            value={String(wanted)}
            options={set.classes.map(({ name }, i): [string, string] => [String(i), name])}
            onChange={(next) => setParams({ class: next, image: null })}
          />
        )}
        {cell && (
          <>
            <Select
              label="Labelled"
              value={String(cell[0])}
              options={set.classes.map(({ name }, i): [string, string] => [String(i), name])}
              onChange={(next) => setParams({ label: next, image: null })}
            />
            <Select
              label="Predicted"
              value={String(cell[1])}
              options={set.classes.map(({ name }, i): [string, string] => [String(i), name])}
              onChange={(next) => setParams({ prediction: next, image: null })}
            />
          </>
        )}
        <label class="field">
          <span>Named</span>
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
      </div>
      {list.error && <p class="lost">{list.error}</p>}
      <div class="stage">
        <div class={`panes${second ? " two" : ""}`}>
          {pane(loaded, set, weights)}
          {second &&
            (beside.row ? (
              <Beside set={second}>{(table) => pane(beside.planes, second, table)}</Beside>
            ) : (
              <figure class="pane">
                <p class="canvas-note">{second.title} has no image of this name.</p>
              </figure>
            ))}
        </div>
        <aside class="side">
          <p class="image-name">
            <b>{row?.name ?? (list.isRead ? "No image" : "…")}</b>
            <span class="soft">
              {row && `${at + 1} of ${list.total} · ${row.size[1]}×${row.size[0]}`}
              {row && row.mIoU !== null && ` · mIoU ${percent(row.mIoU)}`}
            </span>
          </p>
          <div class="buttons">
            <button type="button" onClick={() => choose(list.rows[at - 1])} disabled={at <= 0}>
              ← <kbd>k</kbd>
            </button>
            <button
              type="button"
              onClick={() => choose(list.rows[at + 1])}
              disabled={at + 1 >= list.rows.length}
            >
              <kbd>j</kbd> →
            </button>
            <button type="button" onClick={() => setView(null)}>
              Whole <kbd>0</kbd>
            </button>
            <button type="button" onClick={() => setView({ x: 0, y: 0, scale: 1 })}>
              1:1
            </button>
            <button type="button" aria-label="Zoom in" onClick={() => toCanvas("+")}>
              +
            </button>
            <button type="button" aria-label="Zoom out" onClick={() => toCanvas("-")}>
              −
            </button>
          </div>
          <LayersPanel
            look={look}
            onLook={setLook}
            available={available}
            classes={set.classes}
            confidenceName={set.kind === "audit" ? "likelihood" : "confidence"}
          />
        </aside>
      </div>
      <Thumbnails
        set={set.id}
        list={list}
        current={row}
        asked={
          order === "class"
            ? (value) => `IoU ${percent(value)}`
            : order === "cell"
              ? (value) => `${short(value)} pixels`
              : null
        }
        onChoose={choose}
      />
      {list.isRead && list.total === 0 && <p class="soft">No image is like this.</p>}
      {set.remedy && (
        <div class="remedy">
          <span class="soft">These are what a run leaves on its own. More:</span>
          <Command text={set.remedy} />
        </div>
      )}
      {set.hasLabels && set.kind === "maps" && <Confusion set={set} cell={cell} />}
    </div>
  );
}

function isPossible(order: ImageOrder, { kind, hasLabels }: MapSet): boolean {
  if (order === "name") return true;
  if (order === "audit") return kind === "audit";
  if (order === "disagreement") return kind === "audit" || hasLabels;
  return kind === "maps" && hasLabels;
}

function layersOf(loaded: LoadedPlanes | null): ReadonlySet<Layer> {
  const planes = loaded?.planes;
  if (!planes) return new Set();
  const { label, prediction, confidence, isLikelihood } = planes;
  return new Set(
    LAYERS.filter((layer) => {
      if (layer === "disagreement") return label && prediction;
      // A curve has weights for confidences, and none for likelihoods.
      if (layer === "weight") return confidence && !isLikelihood;
      return { label, prediction, confidence }[layer];
    }),
  );
}

/** The weights that the curve of a set's run gives, at the iteration of the set. */
function useWeights(set: MapSet | null): readonly number[] | null {
  const { data } = useAnswer<CurveState[]>(set?.run ? "curves" : null, { id: set?.run ?? "" });
  return useMemo(() => {
    const curve = data && curveUntil(data, set?.iteration ?? null);
    return curve ? planeWeights(curve) : null;
  }, [data, set?.iteration]);
}

function Beside({
  set,
  children,
}: {
  readonly set: MapSet;
  readonly children: (weights: readonly number[] | null) => preact.JSX.Element;
}) {
  return children(useWeights(set));
}

/** The image of the same name in another set. */
function useBeside(set: MapSet | null, row: ImageRow | null) {
  const same = useImages(set && row ? { set: set.id, order: "name", text: row.name } : null);
  const found = same.rows.find(({ name }) => name === row?.name) ?? null;
  return { row: found, planes: usePlanes(set?.id ?? null, found) };
}

/** What lies under the pointer. */
export function Values({ values }: { readonly values: readonly (readonly [string, string])[] | null }) {
  if (!values) return <span class="values soft">Point at a pixel to read its values.</span>;
  return (
    <span class="values">
      {values.map(([name, value]) => (
        <span key={name}>
          <i>{name}</i> {value}
        </span>
      ))}
    </span>
  );
}

function Confusion({ set, cell }: { readonly set: MapSet; readonly cell: readonly [number, number] | null }) {
  const { data } = useAnswer<number[][]>("confusion", { set: set.id }, set.images);
  if (!data) return null;
  return (
    <ConfusionTable
      confusion={data}
      classes={set.classes}
      current={cell}
      linkOf={(label, prediction) => linkTo("pixels", { set: set.id, order: "cell", label, prediction })}
    />
  );
}
