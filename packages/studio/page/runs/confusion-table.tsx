import type { ClassColor } from "../../src/api.ts";
import { percent } from "../core/format.ts";
import { Scrollable, Swatch } from "../shell/parts.tsx";

/** Pixels by label (row) and prediction (column), in percent of the row; a cell leads to its images. */
export function ConfusionTable({
  confusion,
  classes,
  linkOf,
  current,
}: {
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly ClassColor[];
  /** Null where there are no images to show. */
  readonly linkOf: (label: number, prediction: number) => string | null;
  readonly current?: readonly [number, number] | null;
}) {
  return (
    <section>
      <h2>Confusion: of each label, the share predicted as …, %</h2>
      <Scrollable class="scroll" label="Confusion matrix">
        <table class="confusion">
          <thead>
            <tr>
              <th>
                <span class="hidden">Label</span>
              </th>
              {classes.map(({ name, color }) => (
                <th key={name} scope="col">
                  <span>
                    <Swatch color={color} />
                    {name}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {classes.map(({ name, color }, row) => {
              const counts = confusion[row] ?? [];
              const total = counts.reduce((sum, count) => sum + count, 0);
              return (
                <tr key={name}>
                  <th scope="row">
                    <Swatch color={color} />
                    {name}
                  </th>
                  {classes.map(({ name: other }, column) => {
                    const share = total > 0 ? (counts[column] ?? 0) / total : 0;
                    return (
                      <Cell
                        key={other}
                        share={share}
                        isRight={row === column}
                        isCurrent={current?.[0] === row && current[1] === column}
                        link={share > 0 ? linkOf(row, column) : null}
                        name={`${name} predicted as ${other}`}
                      />
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scrollable>
    </section>
  );
}

function Cell({
  share,
  isRight,
  isCurrent,
  link,
  name,
}: {
  readonly share: number;
  readonly isRight: boolean;
  readonly isCurrent: boolean;
  readonly link: string | null;
  readonly name: string;
}) {
  const strength = Math.round(70 * Math.sqrt(share));
  const base = isRight ? "var(--good-cell)" : "var(--bad-cell)";
  const text = share < 0.0005 ? "" : percent(share, share < 0.0995 ? 1 : 0);
  return (
    <td
      class={isCurrent ? "current" : ""}
      style={{ background: `color-mix(in srgb, ${base} ${strength}%, transparent)` }}
    >
      {link && text ? (
        <a
          href={link}
          title={`${name}: ${percent(share, 2)} %; show the images`}
          aria-label={`${name}, ${text} %`}
        >
          {text}
        </a>
      ) : (
        text
      )}
    </td>
  );
}
