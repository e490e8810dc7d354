export { type CoarseLabel, type CoarsenOptions, coarsen } from "./coarsen.ts";
export { type CoarsenFolderOptions, coarsenFolder } from "./coarsen-folder.ts";
export { type CoarsenParameters, type CoarsenPreset, coarsenPresets } from "./parameters.ts";
export { polygonJson, writePolygonJson } from "./polygon-json.ts";
export { type CoarsePolygon, rasterisePolygons } from "./rasterise.ts";
export { type ScenesOptions, scenes } from "./scenes.ts";
export { BAND_STARTS, type CoarsenStatistics, type CoarsePair, coarsenStatistics } from "./statistics.ts";
export { CITYSCAPES_TARGETS, coarsenText } from "./statistics-table.ts";
