export { type BenchDevice, type Place, placeOf, placeText } from "./device.ts";
export { median, medianMs, timeMs } from "./measure.ts";
export { findPython, runPeer } from "./python.ts";
