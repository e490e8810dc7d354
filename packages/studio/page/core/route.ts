import { Store, useStore } from "./store.ts";

export type View = "runs" | "run" | "curve" | "pixels" | "review" | "try";
const VIEWS: readonly View[] = ["runs", "run", "curve", "pixels", "review", "try"];

/** What the page shows; all of it stands in the address, so that a reload or a bookmark shows it again. */
export interface Route {
  readonly view: View;
  readonly params: Readonly<Record<string, string>>;
}

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return {
    view: VIEWS.find((view) => view === path) ?? "runs",
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

const route = new Store<Route>(read());
addEventListener("hashchange", () => {
  route.value = read();
});

export type Params = Readonly<Record<string, string | number | null | undefined>>;

/** Returns the link to a view. */
export function linkTo(view: View, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== "") query.set(key, String(value));
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

/** Returns where the page is. */
export function useRoute(): Route {
  return useStore(route);
}

/** Changes some of the parameters; `null` takes one away. The way back skips it. */
export function setParams(changes: Params): void {
  const { view, params } = route.value;
  history.replaceState(null, "", linkTo(view, { ...params, ...changes }));
  route.value = read();
}

/** Goes to a view. */
export function goTo(view: View, params: Params = {}): void {
  location.hash = linkTo(view, params);
}
