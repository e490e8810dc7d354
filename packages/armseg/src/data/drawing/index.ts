export { type FloatMap, heatmap } from "./heatmap.ts";
export { colorize, overlay } from "./label-colors.ts";
export { encodeLabelPng, labelPalette, writeLabelPng } from "./label-png.ts";
export { encodeRgbPng, writeRgbPng } from "./rgb-png.ts";
export { imageThumbnail, labelThumbnail, type Thumbnail } from "./thumbnails.ts";
