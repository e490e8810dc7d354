import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../core/keys.ts";
import { CANVAS_KEYS, PixelCanvas, type Place } from "../pixels/canvas.tsx";
import type { Planes } from "../pixels/compositor.ts";
import { FIRST_LOOK, type Look, type Viewport } from "../pixels/look.ts";
import { Values } from "../pixels/pixels-view.tsx";
import { valuesAt } from "../pixels/values.ts";
import { Command, Notice, Slider, Swatch } from "../shell/parts.tsx";
import { loadWebPackage, openModel, readPicture, type Segmenter } from "./segmenter.ts";

type Web = Awaited<ReturnType<typeof loadWebPackage>>;

/** A model that was exported, and pictures dropped onto the page: segmented here, sent nowhere. */
export function TryView() {
  const [web, setWeb] = useState<Web | undefined>(undefined);
  useEffect(() => {
    loadWebPackage().then(setWeb, () => setWeb(null));
  }, []);
  if (web === undefined) return <p class="loading">Reading …</p>;
  if (web === null)
    return (
      <Notice title="Models in the browser need a package more">
        <p>
          It brings 40 MB of WebAssembly, so it is installed by those who want it. Then start Studio again.
        </p>
        <Command text="npm install armseg-web" />
      </Notice>
    );
  return <Trial web={web} />;
}

function Trial({ web }: { readonly web: NonNullable<Web> }) {
  const [segmenter, setSegmenter] = useState<Segmenter | null>(null);
  const [planes, setPlanes] = useState<Planes | null>(null);
  const [state, setState] = useState("Choose a model, then a picture; or drop both here.");
  const [look, setLook] = useState<Look>(FIRST_LOOK);
  const [view, setView] = useState<Viewport | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [isOver, setOver] = useState(false);
  const current = useRef<Segmenter | null>(null);
  useEffect(() => () => current.current?.dispose(), []);
  useKeys(
    {
      h: () => setLook((before) => (before.isHidden ? before : { ...before, isHidden: true })),
      ...CANVAS_KEYS,
    },
    { h: () => setLook((before) => ({ ...before, isHidden: false })) },
  );
  const take = async (files: Iterable<File>) => {
    try {
      for (const file of [...files].sort((a, b) => Number(isModel(b)) - Number(isModel(a)))) {
        if (isModel(file)) await takeModel(file);
        else await takePicture(file);
      }
    } catch (error) {
      setState((error as Error).message);
    }
  };
  const takeModel = async (file: File) => {
    setState(`Loading ${file.name} …`);
    const opened = await openModel(web, file);
    current.current?.dispose();
    current.current = opened;
    setSegmenter(opened);
    setState(`${file.name}: ${opened.classes.length} classes. Now a picture.`);
  };
  const takePicture = async (file: File) => {
    const model = current.current;
    if (!model) throw new Error("Choose a model first: a file that armseg export wrote.");
    setState(`Segmenting ${file.name} …`);
    const picture = await readPicture(file);
    const start = performance.now();
    const { classes, height, width } = await model.segment(picture);
    const seconds = (performance.now() - start) / 1000;
    setView(null);
    setPlanes({
      size: [height, width],
      image: { height, width, channels: 3, data: rgbOf(picture) },
      prediction: { height, width, channels: 1, data: classes },
      label: null,
      confidence: null,
      isLikelihood: false,
    });
    setState(`${file.name}: ${width}×${height} pixels in ${seconds.toFixed(1)} s (${model.backend})`);
  };
  const chooser = (name: string, accept: string) => (
    <label class="chooser">
      <span>{name}</span>
      <input
        type="file"
        accept={accept}
        onChange={({ currentTarget }) => {
          if (currentTarget.files) take(currentTarget.files);
          currentTarget.value = "";
        }}
      />
    </label>
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is dropped can be chosen with the buttons as well
    <div
      class={`try${isOver ? " dropping" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer) take(event.dataTransfer.files);
      }}
    >
      <div class="toolbar">
        <h1>Try a model</h1>
        {chooser("Model …", ".onnx")}
        {chooser("Picture …", "image/*")}
        <span role="status">{state}</span>
      </div>
      <figure class="pane">
        <PixelCanvas
          label="The picture with the classes of its pixels"
          planes={planes}
          classes={segmenter?.classes ?? []}
          look={look}
          view={view}
          onView={setView}
          onPoint={setPlace}
        >
          {!planes && !segmenter && (
            <div class="canvas-note">
              <p>Nothing leaves this page: the model runs in the browser. A run is made a model by</p>
              <Command text="npx armseg export runs/first --out model.onnx" />
            </div>
          )}
        </PixelCanvas>
        <figcaption>
          <Values values={place && planes ? valuesAt(planes, place, segmenter?.classes ?? [], null) : null} />
        </figcaption>
      </figure>
      <div class="layer opacity">
        <span class="check">prediction</span>
        <Slider
          name="Opacity of prediction"
          value={look.opacity.prediction}
          onValue={(prediction) => setLook({ ...look, opacity: { ...look.opacity, prediction } })}
        />
      </div>
      <p class="legend">
        {segmenter?.classes.map(({ name, color }) => (
          <span key={name}>
            <Swatch color={color} />
            {name}
          </span>
        ))}
      </p>
    </div>
  );
}

function isModel({ name }: File): boolean {
  return name.toLowerCase().endsWith(".onnx");
}

/** Without the alpha. */
function rgbOf({ data, width, height }: ImageData): Uint8Array {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) rgb.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return rgb;
}
