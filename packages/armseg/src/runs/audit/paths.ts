import { join } from "node:path";
import { runPaths } from "../run-folder.ts";

/** Where everything of an audit lies, below the run's folder. This is the only place that knows the layout. */
export interface AuditPaths {
  readonly folder: string;
  /** `audit.json`: what was audited, and the figures of each class, see `summary.ts`. It is written last: an audit that has it is complete. */
  readonly summary: string;
  /** `images.jsonl`: a line per image, in the order of the data set, see `images.ts`. */
  readonly images: string;
  /** `regions.jsonl`: a line per region, the most suspicious first, see `regions.ts`. */
  readonly regions: string;
  /** `verdicts.jsonl`: what a person decided, see `verdicts.ts`. A new audit leaves it alone. */
  readonly verdicts: string;
  /** `planes/`: PNG files of each image, named by its line in `images.jsonl`. */
  readonly planes: string;
  /** `audit.html`: the first regions, as a page. */
  readonly page: string;
  /** `folds/`: the trainings of an audit out of fold, each a run. */
  readonly folds: string;
}

/** Returns the paths of the audit of a run in `folder`; touches nothing on the disk. */
export function auditPaths(folder: string): AuditPaths {
  const { audit } = runPaths(folder);
  return {
    folder: audit,
    summary: join(audit, "audit.json"),
    images: join(audit, "images.jsonl"),
    regions: join(audit, "regions.jsonl"),
    verdicts: join(audit, "verdicts.jsonl"),
    planes: join(audit, "planes"),
    page: join(audit, "audit.html"),
    folds: join(audit, "folds"),
  };
}
