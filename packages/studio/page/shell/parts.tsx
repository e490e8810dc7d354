import type { ComponentChildren } from "preact";
import { css } from "../core/format.ts";

/** Said in the place of what cannot be shown. */
export function Notice({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A command to type, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      <pre>
        <code>{text}</code>
      </pre>
      <button type="button" onClick={() => navigator.clipboard?.writeText(text.replace(/ {3}#.*$/, ""))}>
        Copy
      </button>
    </div>
  );
}

/** The colour of a class. */
export function Swatch({ color }: { readonly color: readonly number[] | undefined }) {
  return <i class="swatch" style={{ background: css(color) }} aria-hidden="true" />;
}

/** A number between two others, by default a share; its name is for those who do not see what it stands beside. */
export function Slider({
  name,
  value,
  least = 0,
  most = 1,
  step = 0.01,
  isDisabled = false,
  onValue,
}: {
  readonly name: string;
  readonly value: number;
  readonly least?: number;
  readonly most?: number;
  readonly step?: number;
  readonly isDisabled?: boolean;
  readonly onValue: (value: number) => void;
}) {
  return (
    <input
      type="range"
      min={least}
      max={most}
      step={step}
      value={value}
      disabled={isDisabled}
      aria-label={name}
      onInput={({ currentTarget }) => onValue(Number(currentTarget.value))}
    />
  );
}

/** A choice among a few, under a name. */
export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as T)}>
        {options.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A figure with its name below. */
export function Tile({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="tile">
      <b>{children}</b>
      <span>{name}</span>
    </div>
  );
}

/** A part that scrolls on its own, also by keyboard. */
export function Scrollable({
  class: name,
  label,
  children,
}: {
  readonly class: string;
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll here
    <section class={name} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** Moves a part so that its current entry is seen, and the page not at all. */
export function scrollWithin(selector: string): void {
  const part = document.querySelector(selector);
  const entry = part?.querySelector("[aria-current]");
  if (!part || !entry) return;
  const [outer, inner] = [part.getBoundingClientRect(), entry.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right)
    part.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  if (inner.top < outer.top || inner.bottom > outer.bottom)
    part.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}
