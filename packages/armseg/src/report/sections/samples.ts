import { SAMPLE_IMAGES, type SampleImage, type SampleRecord } from "../../runs/records.ts";
import { image, section, table } from "../page.ts";
import { lastSamples, type ReportData } from "../report-data.ts";
import { element, escapeText } from "../svg/markup.ts";

/** Image, label, prediction, confidence and weight of a few samples side by side. */
export function samples(data: ReportData): string {
  const rows = lastSamples(data);
  const shown = SAMPLE_IMAGES.filter((what) => rows.some((row) => sampleImage(data, row, what) !== ""));
  if (shown.length === 0) return "";
  const cells = rows.map((row) => shown.map((what) => sampleImage(data, row, what)));
  const last = rows.at(-1)!.iteration;
  const note = `At iteration ${last}. Confidence from dark (−1) to bright (1), weight from dark (0) to bright (twice the image's mean).`;
  return section("Samples", element("p", { class: "soft" }, escapeText(note)), table(shown, cells, "images"));
}

/** One image of a sample as markup with the file inside; empty text if it is missing. */
export function sampleImage(data: ReportData, sample: SampleRecord, what: SampleImage): string {
  const file = sample.files[what];
  const png = file === undefined ? undefined : data.images.get(file);
  if (png === undefined) return "";
  return image(png, `${what} of ${sample.name}`, sample.name);
}
