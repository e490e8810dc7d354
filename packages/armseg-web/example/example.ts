import { createSegmenter, type Segmenter } from "../browser/index.ts";

/** Opacity of the classes' colours over the image. */
const OPACITY = 0.6;

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const [state, file] = [element("state"), element<HTMLInputElement>("file")];
const canvas = element<HTMLCanvasElement>("canvas");

/** `?model=another.onnx` names another model than the one beside the page. */
const address = new URLSearchParams(location.search).get("model") ?? "model.onnx";

function showLegend({ classes }: Segmenter): void {
  for (const { name, color } of classes) {
    const [entry, patch] = [document.createElement("span"), document.createElement("i")];
    patch.style.background = `rgb(${color.join(" ")})`;
    entry.append(patch, name);
    element("legend").append(entry);
  }
}

async function show(segmenter: Segmenter, image: Blob): Promise<void> {
  state.textContent = "Segmenting…";
  const start = performance.now();
  const bitmap = await createImageBitmap(image);
  const { classes, height, width } = await segmenter.segment(image);
  [canvas.width, canvas.height, canvas.hidden] = [width, height, false];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  for (let i = 0; i < classes.length; i++) {
    const { color } = segmenter.classes[classes[i] as number]!;
    for (let c = 0; c < 3; c++)
      pixels.data[4 * i + c] = OPACITY * color[c]! + (1 - OPACITY) * pixels.data[4 * i + c]!;
  }
  context.putImageData(pixels, 0, 0);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  state.textContent = `${width}×${height} pixels in ${seconds} s (${segmenter.backend})`;
}

try {
  const segmenter = await createSegmenter(address);
  showLegend(segmenter);
  file.disabled = false;
  state.textContent = `${segmenter.metadata.network}, ${segmenter.classes.length} classes`;
  file.addEventListener("change", () => {
    const [image] = file.files ?? [];
    if (image)
      show(segmenter, image).catch((error: Error) => {
        state.textContent = error.message;
      });
  });
} catch (error) {
  state.textContent = (error as Error).message;
}
