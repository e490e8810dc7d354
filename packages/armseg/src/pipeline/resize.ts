/** How images are fitted and resized, without Node: a browser that runs a model does to an image what the trainer did. */
export { resizedSize } from "./random-resize.ts";
export { resizeImageWindow, wholePart } from "./resize-image.ts";
export { wholeImage } from "./window.ts";
