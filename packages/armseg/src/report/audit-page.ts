import type { Thumbnail } from "../data/drawing/thumbnails.ts";
import {
  type AuditMeasure,
  type AuditRegion,
  type AuditSummary,
  unlearnedNote,
} from "../runs/audit/index.ts";
import { classLegend, percent } from "./labelled-images.ts";
import { colorLabel, page, section, table } from "./page.ts";
import { bar } from "./sections/classes.ts";
import { element, escapeText } from "./svg/markup.ts";

/** A region with what is around it: three pictures of one crop. */
export interface RegionCard {
  readonly region: AuditRegion;
  /** `[height, width]` that the outline is drawn in. */
  readonly size: readonly [number, number];
  readonly image: Thumbnail;
  readonly label: Thumbnail;
  readonly prediction: Thumbnail;
  /** Path of an SVG. */
  readonly outline: string;
}

type Classes = AuditSummary["classes"];

/** Returns the page of an audit: its first regions, and the figures of each class. It needs nothing from outside. */
export function auditHtml(summary: AuditSummary, cards: readonly RegionCard[]): string {
  const { dataset, split, classes, measure, regions, folds } = summary;
  const title = `Audit of ${dataset}, ${split}`;
  return page(
    title,
    element("h1", {}, escapeText(title)),
    paragraph(
      `Regions where the label says one class and the network is sure of another, the most suspicious first. ${
        folds > 1
          ? `Each image was judged by a network that had not seen it (${folds} folds).`
          : "The network was trained on these labels itself; --folds 2 has each image judged by one that was not."
      }`,
    ),
    tiles(summary),
    element("p", { class: "caution" }, escapeText(unlearnedNote(summary))),
    measure ? section("Against fine labels", measureTable(measure)) : "",
    element("div", { class: "key" }, classLegend(classes)),
    section(
      regions > cards.length
        ? `The first ${cards.length} of ${regions.toLocaleString("en-GB")} regions`
        : "Regions",
      cards.length === 0
        ? paragraph("None: where labels are drawn, the network is sure of no other class.")
        : paragraph("Image, label and prediction around each region, which is outlined.") +
            element("div", { class: "regions" }, ...cards.map((card) => regionCard(card, classes))),
    ),
    section("Classes", classTable(classes)),
  );
}

function paragraph(text: string): string {
  return element("p", { class: "soft" }, escapeText(text));
}

function tiles({ images, regions, classes }: AuditSummary): string {
  const sum = (figure: "labelled" | "disagreeing" | "suspicious") =>
    classes.reduce((total, own) => total + own[figure], 0);
  const labelled = Math.max(1, sum("labelled"));
  const found = [
    [images.toLocaleString("en-GB"), "images"],
    [regions.toLocaleString("en-GB"), "regions"],
    [percent(sum("suspicious") / labelled), "of the labelled pixels in regions"],
    [percent(sum("disagreeing") / labelled), "predicted as another class"],
  ];
  const tile = ([figure, meaning]: readonly string[]) =>
    element(
      "div",
      { class: "tile" },
      element("b", {}, escapeText(figure!)),
      element("span", {}, escapeText(meaning!)),
    );
  return element("div", { class: "tiles" }, ...found.map(tile));
}

function measureTable({
  wrong,
  missing,
  precision,
  wrongRecall,
  missingRecall,
  missingPrecision,
}: AuditMeasure): string {
  const share = (value: number | null) => (value === null ? "–" : escapeText(percent(value)));
  const rows = [
    ...precision.map(({ regions, ours, cleanlab }) => [
      `precision of the first ${regions} regions`,
      share(ours),
      share(cleanlab),
    ]),
    [
      `wrongly labelled pixels found, of ${wrong.toLocaleString("en-GB")}`,
      share(wrongRecall.ours),
      share(wrongRecall.cleanlab),
    ],
    [
      `missing pixels that the network is sure of, of ${missing.toLocaleString("en-GB")}`,
      share(missingRecall),
      "–",
    ],
    ["right among these", share(missingPrecision), "–"],
  ];
  return (
    paragraph("A region is right if most of its pixels have another class in the fine label.") +
    table(["", "armseg", "cleanlab"], rows, "numbers")
  );
}

function regionCard(
  { region, size, image, label, prediction, outline }: RegionCard,
  classes: Classes,
): string {
  const { rank, id, area, score, likelihood } = region;
  const [given, predicted] = [classes[region.label]!, classes[region.prediction]!];
  const figures = `${area.toLocaleString("en-GB")} pixels, score ${score.toFixed(1)}, likelihood ${likelihood.toFixed(2)}`;
  return element(
    "figure",
    { class: "sample" },
    element(
      "figcaption",
      {},
      element("span", { class: "tag" }, String(rank)),
      element(
        "strong",
        {},
        `${colorLabel(given.name, given.color)} → ${colorLabel(predicted.name, predicted.color)}`,
      ),
      element("span", { class: "soft" }, escapeText(figures)),
      element("span", { class: "soft" }, escapeText(id)),
    ),
    element(
      "div",
      { class: "trio" },
      view(`image at ${id}`, size, [image], outline),
      view(`label at ${id}`, size, [label], outline),
      view(`prediction at ${id}`, size, [prediction], outline),
    ),
  );
}

function view(
  title: string,
  [height, width]: readonly [number, number],
  layers: readonly Thumbnail[],
  outline: string,
): string {
  const path = (kind: string) => element("path", { class: kind, d: outline });
  return element(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    ...layers.map(({ type, file }) =>
      element("image", {
        width,
        height,
        preserveAspectRatio: "none",
        href: `data:image/${type};base64,${Buffer.from(file).toString("base64")}`,
      }),
    ),
    path("box back"),
    path("box"),
  );
}

function classTable(classes: Classes): string {
  const most = Math.max(1e-9, ...classes.map(suspiciousShare));
  const rows = classes.map((own) => [
    colorLabel(own.name, own.color),
    bar(suspiciousShare(own) / most),
    own.labelled === 0 ? "–" : escapeText(percent(suspiciousShare(own))),
    own.regions.toLocaleString("en-GB"),
    own.labelled === 0 ? "–" : escapeText(percent(own.disagreeing / own.labelled)),
    own.threshold.toFixed(2),
    own.predictedAs
      .slice(0, 3)
      .map(({ class: index, regions }) => {
        const { name, color } = classes[index]!;
        return `${colorLabel(name, color)} <span class="soft">${regions.toLocaleString("en-GB")}</span>`;
      })
      .join(" &ensp; "),
  ]);
  return (
    paragraph(
      "Of the pixels labelled as a class: those in regions, and those predicted as another class however unsure. The threshold is the least likelihood at which the class is believed.",
    ) +
    table(
      ["class", "", "in regions", "regions", "predicted as another", "threshold", "mostly as (regions)"],
      rows,
      "audit",
    )
  );
}

function suspiciousShare({ suspicious, labelled }: Classes[number]): number {
  return labelled === 0 ? 0 : suspicious / labelled;
}
