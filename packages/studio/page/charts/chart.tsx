import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useStore } from "../core/store.ts";
import { cssColor, isDark } from "../core/theme.ts";

/** A line of a chart. */
export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly color: string;
  readonly isDashed?: boolean;
  /** Drawn as bars from 0. */
  readonly isBars?: boolean;
  readonly hasPoints?: boolean;
  readonly width?: number;
}

export interface ChartProps {
  readonly title: string;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  /** Areas between two lines, by their indices: upper, lower. */
  readonly bands?: readonly (readonly [number, number, string])[];
  readonly xLabel?: string;
  readonly height?: number;
  readonly format?: (value: number) => string;
  readonly range?: readonly [number | null, number | null];
  readonly xRange?: readonly [number, number];
  readonly isLogarithmic?: boolean;
  /** Called with the stretch that is dragged over. */
  readonly onSelect?: (from: number, to: number) => void;
  /** A stretch that is marked. */
  readonly selected?: readonly [number, number] | null;
  readonly hidesLegend?: boolean;
}

/** Curves over a common axis: values under the pointer, drag to zoom (or to select), double click to see all again. */
export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;
  const dark = useStore(isDark);
  const shape = JSON.stringify([
    props.lines.map(({ label, color, isDashed, isBars }) => [label, color, isDashed, isBars]),
    props.bands,
    props.isLogarithmic,
    props.hidesLegend,
    dark,
  ]);
  useEffect(() => {
    const element = host.current!;
    const made = new uPlot(options(current, element.clientWidth), dataOf(current.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: current.current.height ?? 220 }),
    );
    observer.observe(element);
    mark(made, current.current.selected ?? null);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props.x, props.lines]);
  useEffect(() => {
    if (plot.current) mark(plot.current, props.selected ?? null);
  }, [props.selected?.[0], props.selected?.[1]]);
  return (
    <figure class="chart">
      <figcaption>{props.title}</figcaption>
      <div ref={host} />
    </figure>
  );
}

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [x as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

/** Shows a stretch as selected without telling anybody. */
function mark(plot: uPlot, selected: readonly [number, number] | null): void {
  if (!selected) {
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    return;
  }
  const [left, right] = selected.map((x) => plot.valToPos(x, "x")) as [number, number];
  plot.setSelect({ left, width: right - left, top: 0, height: plot.over.clientHeight }, false);
}

function options(current: { readonly current: ChartProps }, width: number): uPlot.Options {
  const { lines, bands = [], xLabel = "iteration", height = 220, format = String } = current.current;
  const { range, xRange, isLogarithmic, onSelect, hidesLegend } = current.current;
  const [ink, grid] = [cssColor("--soft"), cssColor("--line")];
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width,
    height,
    padding: [12, 12, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: !onSelect }, points: { size: 6 } },
    legend: { show: !hidesLegend, live: true },
    scales: {
      x: { time: false, ...(xRange && { range: [...xRange] as [number, number] }) },
      y: {
        distr: isLogarithmic ? 3 : 1,
        ...(range && {
          range: (_: uPlot, low: number, high: number): [number, number] => [
            range[0] ?? low,
            range[1] ?? (high > (range[0] ?? low) ? high * 1.04 : (range[0] ?? low) + 1),
          ],
        }),
      },
    },
    axes: [
      {
        ...axis,
        label: xLabel,
        labelSize: 18,
        labelFont: "12px system-ui",
        font: "12px system-ui",
        size: 34,
      },
      {
        ...axis,
        size: 52,
        font: "12px system-ui",
        values: (_, values) => values.map((v) => (v === null ? "" : format(v))),
      },
    ],
    series: [
      { label: xLabel },
      ...lines.map(
        (line): uPlot.Series => ({
          label: line.label,
          stroke: line.color,
          width: line.width ?? 1.8,
          spanGaps: true,
          points: { show: line.hasPoints ?? false, size: 5 },
          value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
          ...(line.isDashed && { dash: [6, 4] }),
          ...(line.isBars && { paths: uPlot.paths.bars!({ size: [0.86, 60] }), fill: line.color, width: 0 }),
        }),
      ),
    ],
    bands: bands.map(([upper, lower, fill]) => ({ series: [upper + 1, lower + 1], fill })),
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          const { onSelect: tell } = current.current;
          if (tell && wide > 2) tell(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
        },
      ],
    },
  };
}
