import type { RunDetail } from "../../src/api.ts";
import type { Line } from "../charts/chart.tsx";

export interface Point {
  readonly x: number;
  readonly y: number | null;
}

type PointsOf = (detail: RunDetail) => readonly Point[];

/** Runs that repeat one another, together. */
export function byGroup(details: readonly RunDetail[]): RunDetail[][] {
  const groups = new Map<string, RunDetail[]>();
  for (const detail of details) {
    const { group } = detail.summary;
    groups.set(group, [...(groups.get(group) ?? []), detail]);
  }
  return [...groups.values()];
}

/** A line per run over one axis. */
export function aligned(
  details: readonly RunDetail[],
  points: PointsOf,
  color: (id: string) => string,
): { readonly x: number[]; readonly lines: Line[] } {
  const x = axisOf(details.map(points));
  return {
    x,
    lines: details.map((detail) => {
      const values = valuesAt(x, points(detail));
      return {
        label: detail.summary.name,
        color: color(detail.summary.id),
        values,
        hasPoints: values.filter((value) => value !== null).length < 40,
      };
    }),
  };
}

/**
 * A line per group: the mean of its runs, with the least and the greatest as a band around it. Where a run has no value of its own
 * at an iteration, one between its neighbours is taken; before its first and beyond its last it does not count.
 */
export function seedsBand(
  groups: readonly (readonly RunDetail[])[],
  points: PointsOf,
  color: (i: number) => string,
): { readonly x: number[]; readonly lines: Line[]; readonly bands: [number, number, string][] } {
  const x = axisOf(groups.flat().map(points));
  const lines: Line[] = [];
  const bands: [number, number, string][] = [];
  groups.forEach((group, g) => {
    const all = group.map((detail) => x.map((at) => between(points(detail), at)));
    const columns = x.map((_, i) => all.map((values) => values[i]).filter((v): v is number => v !== null));
    const column = (f: (values: number[]) => number) => columns.map((v) => (v.length === 0 ? null : f(v)));
    const label = groupLabel(group);
    const base = { color: color(g), width: 0 };
    lines.push(
      { ...base, label: `${label}, most`, values: column((values) => Math.max(...values)) },
      { ...base, label: `${label}, least`, values: column((values) => Math.min(...values)) },
      {
        label: `${label}, mean of ${group.length}`,
        color: color(g),
        values: column((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
        width: 2.2,
      },
    );
    bands.push([3 * g, 3 * g + 1, faint(color(g))]);
  });
  return { x, lines, bands };
}

/** What their names have in common. */
function groupLabel(group: readonly RunDetail[]): string {
  const names = group.map(({ summary }) => summary.id);
  const first = names[0]!;
  let length = first.length;
  for (const name of names) while (!name.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length).replace(/[-_./\s]*(seed)?[-_./\s]*$/, "") || first;
}

function faint(color: string): string {
  return color.startsWith("#") ? `${color}2b` : color;
}

function axisOf(all: readonly (readonly Point[])[]): number[] {
  return [...new Set(all.flatMap((points) => points.map(({ x }) => x)))].sort((a, b) => a - b);
}

function valuesAt(x: readonly number[], points: readonly Point[]): (number | null)[] {
  const byX = new Map(points.map((point) => [point.x, point.y]));
  return x.map((at) => byX.get(at) ?? null);
}

/** Linear between the neighbours that have a value. */
export function between(points: readonly Point[], at: number): number | null {
  let left: Point | null = null;
  for (const point of points) {
    if (point.y === null) continue;
    if (point.x === at) return point.y;
    if (point.x > at) {
      if (!left) return null;
      return left.y! + ((at - left.x) / (point.x - left.x)) * (point.y - left.y!);
    }
    left = point;
  }
  return null;
}
