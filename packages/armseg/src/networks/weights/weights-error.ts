import type { WeightsReport } from "./report.ts";
import { formatWeightsReport } from "./report.ts";

/** A file's weights do not fit the network. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
  readonly code = "ERR_WEIGHTS";
  /** `null` where the file's names follow no layout that is known. */
  readonly report: WeightsReport | null;

  constructor(message: string, report: WeightsReport | null = null) {
    super(report === null ? message : `${message}\n${formatWeightsReport(report)}`);
    this.report = report;
  }
}
