export { colorize } from "./colorize.ts";
export { type FloatMap, heatmap, viridis } from "./heatmap.ts";
export { encodeLabelPng, labelPalette, writeLabelPng } from "./label-png.ts";
export { legend } from "./legend.ts";
export { overlay } from "./overlay.ts";
export { encodeRgbPng, writeRgbPng } from "./rgb-png.ts";
export { type SheetCell, type SheetOptions, sheet } from "./sheet.ts";
export { drawText_, fillRectangle_, textWidth } from "./text.ts";
