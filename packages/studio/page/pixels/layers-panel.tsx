import type { ClassColor } from "../../src/api.ts";
import { Slider, Swatch } from "../shell/parts.tsx";
import { LAYERS, type Layer, type Look } from "./look.ts";

const FIRST_OPACITY: Readonly<Record<Layer, number>> = {
  label: 0.55,
  prediction: 0.55,
  confidence: 0.8,
  weight: 0.8,
  disagreement: 0.85,
};

/** A layer switched on, or off. */
export function toggled(look: Look, layer: Layer): Look {
  const opacity = look.opacity[layer] > 0 ? 0 : FIRST_OPACITY[layer];
  return { ...look, opacity: { ...look.opacity, [layer]: opacity } };
}

/** All layers that are on more, or less, opaque. */
export function fainter(look: Look, by: number): Look {
  const opacity = { ...look.opacity };
  for (const layer of LAYERS)
    if (opacity[layer] > 0) opacity[layer] = Math.min(1, Math.max(0.05, opacity[layer] + by));
  return { ...look, opacity };
}

/** Switches of the layers, one class alone, and the range of the confidence. */
export function LayersPanel({
  look,
  onLook,
  available,
  classes,
  confidenceName,
}: {
  readonly look: Look;
  readonly onLook: (look: Look) => void;
  readonly available: ReadonlySet<Layer>;
  readonly classes: readonly ClassColor[];
  readonly confidenceName: "confidence" | "likelihood";
}) {
  const [low, high] = look.range;
  return (
    <div class="layers">
      <fieldset>
        <legend>Layers</legend>
        {LAYERS.map((layer, i) => {
          const name = layer === "confidence" ? confidenceName : layer;
          return (
            <div class="layer" key={layer}>
              <label
                class="check"
                title={available.has(layer) ? "" : "not among what was written of this image"}
              >
                <input
                  type="checkbox"
                  checked={look.opacity[layer] > 0}
                  disabled={!available.has(layer)}
                  onChange={() => onLook(toggled(look, layer))}
                />
                <span>{name}</span>
                <kbd>{i + 1}</kbd>
              </label>
              <Slider
                name={`Opacity of ${name}`}
                value={look.opacity[layer]}
                isDisabled={!available.has(layer)}
                onValue={(value) => onLook({ ...look, opacity: { ...look.opacity, [layer]: value } })}
              />
            </div>
          );
        })}
        <div class="layer">
          <span class="check">image</span>
          <Slider
            name="Opacity of the image"
            value={look.image}
            onValue={(image) => onLook({ ...look, image })}
          />
        </div>
      </fieldset>
      <fieldset>
        <legend>Layers where the {confidenceName} is</legend>
        <div class="layer">
          <span class="check">at least {look.range[0].toFixed(2)}</span>
          <Slider
            name={`Least ${confidenceName}`}
            least={-1}
            value={low}
            onValue={(value) => onLook({ ...look, range: [Math.min(high, value), high] })}
          />
        </div>
        <div class="layer">
          <span class="check">at most {look.range[1].toFixed(2)}</span>
          <Slider
            name={`Greatest ${confidenceName}`}
            least={-1}
            value={high}
            onValue={(value) => onLook({ ...look, range: [low, Math.max(low, value)] })}
          />
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={look.isLit}
            onChange={({ currentTarget }) => onLook({ ...look, isLit: currentTarget.checked })}
          />
          <span>darken the others</span>
        </label>
      </fieldset>
      <ClassList
        classes={classes}
        only={look.onlyClass}
        onOnly={(onlyClass) => onLook({ ...look, onlyClass })}
      />
    </div>
  );
}

/** The classes; a press shows one alone. */
function ClassList({
  classes,
  only,
  onOnly,
}: {
  readonly classes: readonly ClassColor[];
  readonly only: number | null;
  readonly onOnly: (only: number | null) => void;
}) {
  const entry = (index: number, content: preact.ComponentChildren) => (
    <button
      type="button"
      key={index}
      class="class"
      aria-pressed={only === index}
      onClick={() => onOnly(only === index ? null : index)}
    >
      {content}
    </button>
  );
  return (
    <fieldset>
      <legend>One class alone</legend>
      <div class="class-list">
        {classes.map(({ name, color }, i) =>
          entry(
            i,
            <>
              <Swatch color={color} />
              {name}
            </>,
          ),
        )}
        {entry(
          255,
          <>
            <i class="swatch hatched" aria-hidden="true" />
            void
          </>,
        )}
      </div>
    </fieldset>
  );
}
