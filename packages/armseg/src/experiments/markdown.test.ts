import { expect, test } from "vitest";
import { summarise } from "./entry-statistics.ts";
import { markdownTable, systemsTable } from "./markdown.ts";
import { TABLES } from "./tables.ts";
import { madeUpEntry, madeUpResult } from "./testing/made-up-entries.ts";

test("ours beside the paper's, with spread, difference and how the runs ended", () => {
  const base = madeUpEntry("base", 0.1, { paper: { aAcc: 93.55, mAcc: 82.21, mIoU: 70.33 } });
  const arm = madeUpEntry("arm", 0.2, { base: "base", paper: { mIoU: 71.9, on: "test" } });
  const nan = madeUpEntry("p = 1", 0.3, { base: "base", paper: { mIoU: "NaN" } });
  const none = madeUpEntry("later", 0.4, { setting: "other", isOurs: true });
  const unknown = madeUpEntry("std", 0.5, {
    setting: "other",
    paper: { aAcc: null, mAcc: null, mIoU: 71.83 },
  });
  const results = [
    madeUpResult(base, 0, 0.4, "scored"),
    madeUpResult(base, 1, 0.42, "scored"),
    madeUpResult(arm, 0, 0.39, "scored"),
    madeUpResult(arm, 1, 0.05, "collapsed"),
    madeUpResult(nan, 0, null, "diverged"),
    madeUpResult(nan, 1, null, "failed"),
  ];
  expect(markdownTable(summarise([base, arm, nan, none, unknown], results)).split("\n")).toEqual([
    "| setting | method | mIoU | difference to base, 95 % interval | mAcc | aAcc | paper: mIoU | mAcc | aAcc | runs |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    "| made up | base | 41.00 ± 1.41 |  | 51.00 ± 1.41 | 61.00 ± 1.41 | 70.33 | 82.21 | 93.55 | 2 |",
    // Differences −1 and −37: mean −19, deviation 36/√2, t of one degree 12.7062: half width 228.71.
    "|  | arm | 22.00 ± 24.04 | −19.00 (−247.71 to 209.71) | 32.00 ± 24.04 | 42.00 ± 24.04 | 71.90 (test) |  |  | 2, 1 collapsed |",
    "|  | p = 1 | – |  | – | – | NaN |  |  | 2, 1 NaN, 1 failed |",
    "| other | later † | – |  | – | – | none |  |  | 0 |",
    "|  | std | – |  | – | – | 71.83 | ? | ? | 0 |",
    "",
    "† not a row of the paper's table: its figures, where there are any, stand in another one; ? the paper prints it; not recorded here.",
  ]);
});

test("without figures of the paper there are no columns for them; the gap to fine labels is told where it is measured", () => {
  const fine = madeUpEntry("fine", 0.1);
  const base = madeUpEntry("base", 0.2, { setting: "coarse" });
  const better = madeUpEntry("better", 0.3, { setting: "coarse", base: "base", fine: "fine" });
  const scores = { fine: [0.5, 0.52], base: [0.45, 0.47], better: [0.49, 0.51] } as const;
  const results = [fine, base, better].flatMap((entry) =>
    scores[entry.name as keyof typeof scores].map((mIoU, seed) => madeUpResult(entry, seed, mIoU, "scored")),
  );
  expect(markdownTable(summarise([fine, base, better], results)).split("\n")).toEqual([
    "| setting | method | mIoU | difference to base, 95 % interval | gap to fine labels left, 95 % interval | mAcc | aAcc | runs |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    "| made up | fine | 51.00 ± 1.41 |  |  | 61.00 ± 1.41 | 71.00 ± 1.41 | 2 |",
    "| coarse | base | 46.00 ± 1.41 |  |  | 56.00 ± 1.41 | 66.00 ± 1.41 | 2 |",
    "|  | better | 50.00 ± 1.41 | +4.00 (4.00 to 4.00) | 0.20 (0.20 to 0.20) | 60.00 ± 1.41 | 70.00 ± 1.41 | 2 |",
  ]);
});

test("an entry whose every run diverged is NaN, as the paper writes it", () => {
  const entry = madeUpEntry("p = 1", 0.1);
  const table = markdownTable(summarise([entry], [madeUpResult(entry, 0, null, "diverged")]));
  expect(table.split("\n").at(-1)).toBe("| made up | p = 1 | NaN |  | NaN | NaN | 1, 1 NaN |");
});

test("table 6 names the paper's fourteen other systems", () => {
  const rows = systemsTable(TABLES.table6.systems).split("\n");
  expect(rows).toHaveLength(2 + 14);
  expect(rows).toContain("| OCR | HRNetV2-W48 | 82.40 | 45.66 |");
  expect(rows).toContain("| ResNeSt | ResNeSt101 | – | 46.91 |");
  expect(systemsTable(undefined)).toBe("");
});
