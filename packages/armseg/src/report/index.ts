/** Reports of runs as HTML pages, from their folders alone, and what they compute of a run. */
export { type CurveAgainstOptimum, curveAgainstOptimum } from "../core/hoelder-optimum.ts";
export { writeComparison, writeReport } from "./write-report.ts";
