export { median, medianMs } from "./measure.ts";
export { findPython, runPeer } from "./python.ts";
