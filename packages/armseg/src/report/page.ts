import { element, escapeText } from "./svg/markup.ts";

/** A part of a page with a heading; nothing at all if it has no content. */
export function section(title: string, ...content: readonly string[]): string {
  const shown = content.filter((part) => part !== "");
  return shown.length === 0 ? "" : element("section", {}, element("h2", {}, escapeText(title)), ...shown);
}

/** A chart under its title, with a sentence of explanation; nothing at all if there is no chart. */
export function figure(title: string, chart: string, explanation = ""): string {
  if (chart === "") return "";
  const caption = element("strong", {}, escapeText(title));
  const text = explanation === "" ? "" : element("p", {}, escapeText(explanation));
  return element("figure", {}, element("figcaption", {}, caption, text), chart);
}

/** Figures side by side where the page is wide enough. */
export function figures(...content: readonly string[]): string {
  const shown = content.filter((part) => part !== "");
  return shown.length === 0 ? "" : element("div", { class: "figures" }, ...shown);
}

/** A table; the cells are markup already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], kind = ""): string {
  const row = (cells: readonly string[], name: string) =>
    element("tr", {}, ...cells.map((cell) => element(name, {}, cell)));
  const body = element("tbody", {}, ...rows.map((cells) => row(cells, "td")));
  const parts = head.length === 0 ? body : element("thead", {}, row(head, "th")) + body;
  return element("div", { class: "scroll" }, element("table", kind === "" ? {} : { class: kind }, parts));
}

/** A PNG inside the page. */
export function image(png: Uint8Array, alternative: string, title = alternative): string {
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return `<img src="${source}" alt="${escapeText(alternative)}" title="${escapeText(title)}">`;
}

/** The colour of a class as a small square, and its name. */
export function colorLabel(name: string, color: readonly number[]): string {
  // Numbers, whatever the file holds: they go into a style.
  const style = `background: rgb(${color.map(Number).join(" ")})`;
  return element("span", { class: "swatch", style }) + escapeText(name);
}

/** Text that unfolds at a click. */
export function details(summary: string, text: string): string {
  if (text === "") return "";
  const head = element("summary", {}, escapeText(summary));
  return element("details", {}, head, element("pre", {}, escapeText(text)));
}

/** A whole page that needs nothing from outside: no script, no network. */
export function page(title: string, ...content: readonly string[]): string {
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    // Were a run's text ever to slip through unescaped, it could still load and run nothing.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    element("title", {}, escapeText(title)),
    `<style>${STYLE}</style>`,
  ];
  const body = element("body", {}, element("main", {}, ...content));
  return `<!doctype html>\n<html lang="en"><head>${head.join("")}</head>${body}</html>\n`;
}

/** The look of every page; on its own it also dresses a chart that is an SVG file. */
export const STYLE = `
:root { --ink: #1c2430; --soft: #5c6675; --paper: #fff; --panel: #f6f7f9; --line: #dde1e7; --accent: #2a6fdb;
  --series-0: #2a6fdb; --series-1: #d35f1e; --series-2: #12876a; --series-3: #8450c4;
  --series-4: #c23a76; --series-5: #80750f; --series-6: #0f7f9d; --series-7: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9aa4b2; --paper: #14181f; --panel: #1b2029; --line: #313947; --accent: #6ba4ff;
    --series-0: #6ba4ff; --series-1: #ff9a62; --series-2: #45c99e; --series-3: #bb96f0;
    --series-4: #f27fb0; --series-5: #cfc24f; --series-6: #55c4e0; --series-7: #a6aebb; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1220px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--line); }
p { margin: 4px 0; } .soft, figcaption p, th { color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.tile { background: var(--panel); border-radius: 8px; padding: 10px 16px; min-width: 120px; }
.tile b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 20px; }
figure { margin: 0; background: var(--panel); border-radius: 8px; padding: 14px 16px; min-width: 0; }
figcaption { margin-bottom: 8px; } figcaption p { font-size: 13px; line-height: 1.4; margin: 2px 0 0; }
.chart { display: block; width: 100%; height: auto; overflow: visible; font: 11.5px system-ui, sans-serif; }
.chart text { fill: var(--ink); font-variant-numeric: tabular-nums; } .chart .label { fill: var(--soft); }
.chart .grid { stroke: var(--line); } .chart .axis { stroke: var(--soft); }
.chart .mark { stroke: var(--soft); stroke-dasharray: 2 3; }
.chart .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.chart .band { opacity: 0.16; } .chart .cell { fill: var(--accent); stroke: var(--line); stroke-width: 0.5; }
.chart .on-cell { fill: var(--paper); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; font-size: 13px; } td, th { padding: 4px 14px 4px 0; vertical-align: middle; }
tbody tr + tr td { border-top: 1px solid var(--line); } .numbers td + td, .numbers th + th, .scores td + td, .scores th + th { text-align: right; }
.numbers td + td, .numbers th + th { padding-left: 12px; }
.facts td:first-child { color: var(--soft); white-space: nowrap; }
.bar { display: inline-block; width: 180px; height: 10px; border-radius: 3px; background: var(--line); vertical-align: middle; }
.bar i { display: block; height: 100%; border-radius: 3px; background: var(--accent); }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; vertical-align: -1px;
  border: 1px solid var(--line); }
.images img { display: block; width: 100%; min-width: 130px; border-radius: 4px; image-rendering: auto; }
.images td { padding: 4px 6px 4px 0; border: 0 !important; } .images { width: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(520px, 100%), 1fr)); gap: 16px; margin: 12px 0; }
.sample { padding: 10px 12px; } .sample .legend { font-size: 13px; margin-top: 6px; gap: 2px 14px; }
.sample figcaption { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; margin-bottom: 6px; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; align-items: start; }
.pair svg { display: block; width: 100%; height: auto; max-height: 420px; border-radius: 4px; background: var(--line); }
.pair .coarse { image-rendering: pixelated; } .files { position: absolute; }
.over .label { opacity: 0.5; } .over:hover .label { opacity: 0; }
.regions { display: grid; gap: 16px; margin: 12px 0; grid-template-columns: repeat(auto-fill, minmax(min(560px, 100%), 1fr)); }
.trio { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 6px; align-items: start; }
.trio svg { display: block; width: 100%; height: auto; max-height: 380px; border-radius: 4px; background: var(--line); }
.audit td:nth-child(n + 3):nth-child(-n + 6), .audit th:nth-child(n + 3):nth-child(-n + 6) { text-align: right; } .audit .bar { width: 110px; }
.missing { border: 1px dashed var(--soft); border-radius: 4px; padding: 24px 8px; text-align: center; color: var(--soft); }
.box { fill: none; stroke: #fff; stroke-width: 2; vector-effect: non-scaling-stroke; } .box.back { stroke: #000; stroke-width: 5; }
path.box { stroke-width: 1.5; } path.box.back { stroke-width: 3.5; }
.ignored { background: repeating-linear-gradient(135deg, #f0f0f0 0 2px, #282828 2px 4px, var(--line) 4px 7px); }
.tag { font-size: 12px; font-weight: 500; border: 1px solid var(--line); border-radius: 4px; padding: 0 6px; color: var(--soft); }
.tag.error, .fault { color: var(--series-4); } .tag.warning { color: var(--series-1); } .fault { font-size: 13px; overflow-wrap: anywhere; }
.problem { margin: 14px 0 22px; } .problem ul { margin: 4px 0; padding-left: 20px; overflow-wrap: anywhere; } h3 { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: baseline; font-size: 16px; margin: 0; }
.views { display: flex; flex-wrap: wrap; gap: 2px 8px; margin: 10px 0; } .views label { margin-right: 8px; cursor: pointer; white-space: nowrap; } .views input { margin: 0 6px 0 0; }
@media (max-width: 440px) { .pair { grid-template-columns: 1fr; } }
main:has(#view-alone:checked) .over:not(:hover) .image { display: none; }
main:has(#view-alone:checked) .over:not(:hover) .label { opacity: 1; }
.key { margin-top: 28px; } .counts .bar { width: 110px; } .counts td:nth-child(3n + 5), .counts th:nth-child(3n + 5), .counts td:nth-child(3n + 6), .counts th:nth-child(3n + 6) { text-align: right; white-space: nowrap; }
.better { color: var(--series-2); } .caution { color: var(--series-1); } .worse { color: var(--series-4); }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); }
pre { overflow-x: auto; background: var(--panel); border-radius: 8px; padding: 12px 16px; font-size: 13px; line-height: 1.45; }
.scores td:first-child, .numbers td:first-child, .confusions td { white-space: nowrap; }
@media (max-width: 560px) { main { padding: 18px 12px 40px; } figure { padding: 10px 8px; } .chart { font-size: 13.5px; } .bar { width: 84px; }
  .tile { min-width: 0; flex: 1 1 40%; } td, th { padding-right: 9px; } .facts td:first-child { white-space: normal; } }
@media print { body { font-size: 12px; } figure, tr { break-inside: avoid; } }
`;
