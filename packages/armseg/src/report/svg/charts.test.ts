import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, test } from "vitest";
import { heatMap } from "../sections/confusion.ts";
import { barChart } from "../sections/weight-curve.ts";
import { lineChart, type Series } from "./line-chart.ts";

const TEXT = { title: "T <1>", description: "what & why", xLabel: "x", yLabel: "y" };
const GAP = Number.NaN;

/** All values of one attribute in a chart. */
const attributes = (svg: string, name: string) =>
  [...svg.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"))].map((match) => match[1]!);

function expectSound(svg: string): void {
  expect(XMLValidator.validate(svg)).toBe(true);
  expect(svg).not.toMatch(/"[^"]*(NaN|undefined|Infinity)[^"]*"/);
}

describe("line chart", () => {
  const line = (points: Series["points"], more: Partial<Series> = {}): Series => ({
    name: "a",
    points,
    ...more,
  });

  test("is an image with a name and a description", () => {
    const svg = lineChart(
      [
        line([
          [0, 1],
          [1, 2],
        ]),
      ],
      TEXT,
    );
    const { svg: root } = new XMLParser({ ignoreAttributes: false }).parse(svg);
    expect(root["@_role"]).toBe("img");
    expect([root.title, root.desc]).toEqual(["T <1>", "what & why"]);
  });

  test("draws the line where the axes say", () => {
    const options = { ...TEXT, yDomain: [0, 10] as const, height: 260 };
    // The plot spans 60 to 546 and, downwards, 8 to 218.
    expect(
      attributes(
        lineChart(
          [
            line([
              [0, 0],
              [10, 10],
            ]),
          ],
          options,
        ),
        "d",
      ),
    ).toEqual(["M60.0 218.0L546.0 8.0"]);
  });

  test("a stepped line holds each value until the next", () => {
    const options = { ...TEXT, yDomain: [0, 10] as const, height: 260 };
    const points = [
      [0, 10],
      [10, 0],
    ] as const;
    expect(attributes(lineChart([line(points, { isStepped: true })], options), "d")).toEqual([
      "M60.0 8.0L546.0 8.0L546.0 218.0",
    ]);
  });

  test("interrupts the line at what is no number, and at 0 on a logarithmic axis", () => {
    const [path] = attributes(
      lineChart(
        [
          line([
            [0, 1],
            [1, GAP],
            [2, 3],
            [3, 2],
          ]),
        ],
        TEXT,
      ),
      "d",
    );
    expect(path?.replace(/[\d. ]+/g, "")).toBe("MML");
    const onLog = lineChart(
      [
        line([
          [0, 1],
          [1, 0],
          [2, 3],
          [3, 2],
        ]),
      ],
      { ...TEXT, yScale: "log" },
    );
    expect(attributes(onLog, "d")[0]?.replace(/[\d. ]+/g, "")).toBe("MML");
  });

  test("shows a single point as a dot, and nothing at all where there is no number", () => {
    expect(lineChart([line([[3, 1]])], TEXT)).toContain("<circle");
    expect(lineChart([line([[0, GAP]])], TEXT)).toBe("");
    expect(lineChart([], TEXT)).toBe("");
  });

  test("names several lines in a legend, and wraps it", () => {
    const two = lineChart([line([[0, 1]]), line([[0, 2]], { name: "b & c", isDashed: true })], TEXT);
    expect(two).toContain(">b &amp; c</text>");
    expect(attributes(two, "stroke-dasharray")).toContain("5 4");
    const long = (i: number) => line([[0, i]], { name: `a run with a longish name ${i}` });
    const height = (count: number) =>
      Number(
        attributes(
          lineChart(
            Array.from({ length: count }, (_, i) => long(i)),
            TEXT,
          ),
          "viewBox",
        )[0]!.split(" ")[3],
      );
    expect(height(6)).toBe(height(2) + 2 * 18);
  });

  test("is sound for any data", () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 1e6 }), fc.double()));
    fc.assert(
      fc.property(fc.array(points, { maxLength: 3 }), fc.constantFrom("linear", "log"), (lines, yScale) => {
        const sorted = lines.map((one) => one.toSorted((a, b) => a[0] - b[0]));
        const svg = lineChart(
          sorted.map((one) => line(one, { hasDots: true })),
          { ...TEXT, yScale },
        );
        if (svg !== "") expectSound(svg);
      }),
    );
  });

  test("a value beyond the axis's largest is left out, whatever the others are", () => {
    const svg = lineChart(
      [
        line(
          [
            [0, 4e-156],
            [0, 1.0000000000000002e150],
          ],
          { hasDots: true },
        ),
      ],
      TEXT,
    );
    expectSound(svg);
    expect(attributes(svg, "cx")).toHaveLength(1);
  });

  test("has no number that a browser cannot read", () => {
    const band = [
      [0, 1, 2],
      [1, GAP, GAP],
    ] as const;
    const marks = [{ x: 1, text: "here" }];
    expectSound(
      lineChart(
        [
          line(
            [
              [0, 1],
              [1, GAP],
              [2, 1],
            ],
            { band, hasDots: true },
          ),
        ],
        { ...TEXT, marks },
      ),
    );
  });
});

describe("bar chart", () => {
  const options = { ...TEXT, xDomain: [-1, 1] as const, color: "red" };

  test("stands bars from 0 upwards, leaving out what is no number", () => {
    const svg = barChart([1, GAP, 2], options);
    expectSound(svg);
    // The plot is 170 high.
    expect(attributes(svg, "height").map(Number)).toEqual([85, 170]);
    expect(svg).toContain("<title>−1 to −0.333: 1</title>");
  });

  test("shows all zeros as an empty plot, and nothing at all where there is no number", () => {
    expectSound(barChart([0, 0], options));
    expect(barChart([GAP], options)).toBe("");
  });
});

test("a heat map says in each cell's tip what is taken for what", () => {
  const svg = heatMap(
    [
      [0.75, 0.25],
      [GAP, GAP],
    ],
    { ...TEXT, names: ["road", "sky"] },
  );
  expectSound(svg);
  expect(svg).toContain("<title>road → sky: 25.0 %</title>");
  expect(attributes(svg, "fill-opacity")).toEqual(["0.75", "0.25", "0", "0"]);
});
