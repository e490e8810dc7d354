import { Store } from "./store.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "armseg-studio-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

function saved(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

export const theme = new Store<Theme>(saved());
/** Whether the page is dark now; what is drawn on a canvas follows it. */
export const isDark = new Store(false);

function apply(): void {
  isDark.value = theme.value === "system" ? dark.matches : theme.value === "dark";
  document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
}

theme.subscribe((value) => {
  if (value === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, value);
  apply();
});
dark.addEventListener("change", apply);
apply();

/** A colour of the style sheet, for what is drawn on a canvas. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The colour of the i-th of several lines; they repeat after eight. */
export function seriesColor(i: number): string {
  return cssColor(`--series-${i % 8}`);
}
