import { SAMPLE_IMAGES, type SampleImage, type SampleRecord } from "../../runs/records.ts";
import { section, table } from "../page.ts";
import { lastSamples, type ReportData } from "../report-data.ts";
import { element, escapeText } from "../svg/markup.ts";

const HEADS: Readonly<Record<SampleImage, string>> = {
  image: "image",
  label: "label",
  prediction: "prediction",
  confidence: "confidence",
  weight: "weight",
};

/** The sample sheet: image, label, prediction, confidence and weight side by side. */
export function samples(data: ReportData): string {
  const rows = lastSamples(data);
  const shown = SAMPLE_IMAGES.filter((what) => rows.some((row) => sampleImage(data, row, what) !== ""));
  if (shown.length === 0) return "";
  const cells = rows.map((row) => shown.map((what) => sampleImage(data, row, what)));
  const last = rows.at(-1)!.iteration;
  const note = `At iteration ${last}. Confidence and weight: dark is low, bright is high.`;
  return section(
    "Samples",
    element("p", { class: "soft" }, escapeText(note)),
    table(
      shown.map((what) => HEADS[what]),
      cells,
      "sheet",
    ),
  );
}

/** One image of a sample as markup with the file inside; empty text if it is missing. */
export function sampleImage(data: ReportData, sample: SampleRecord, what: SampleImage): string {
  const file = sample.files[what];
  const png = file === undefined ? undefined : data.images.get(file);
  if (png === undefined) return "";
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  const alternative = escapeText(`${HEADS[what]} of ${sample.name}`);
  return `<img src="${source}" alt="${alternative}" title="${escapeText(sample.name)}">`;
}
