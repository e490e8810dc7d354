/** Reports of runs as HTML pages, from their folders alone. */
export { writeComparison, writeReport } from "./write-report.ts";
