import { useEffect, useState } from "preact/hooks";
import { useKeys } from "../core/keys.ts";
import { goTo, linkTo, useRoute, type View } from "../core/route.ts";
import { isConnected } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { type Theme, theme } from "../core/theme.ts";
import { CurveView } from "../curve/curve-view.tsx";
import { PixelsView } from "../pixels/pixels-view.tsx";
import { ReviewView } from "../review/review-view.tsx";
import { RunView } from "../runs/run-view.tsx";
import { RunsView } from "../runs/runs-view.tsx";
import { TryView } from "../try/try-view.tsx";
import { KeyHelp } from "./key-help.tsx";

const TABS: readonly { readonly view: View; readonly name: string; readonly key: string }[] = [
  { view: "runs", name: "Runs", key: "r" },
  { view: "curve", name: "Curve", key: "c" },
  { view: "pixels", name: "Pixels", key: "p" },
  { view: "review", name: "Review", key: "w" },
  { view: "try", name: "Try", key: "t" },
];

/** The page: a bar with the views, and the one that the address names. */
export function App() {
  const { view, params } = useRoute();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const run = params.run ?? params.id;
  const go = (to: View) => goTo(to, paramsOf(to, run));
  useKeys({
    "?": () => setHelpOpen((is) => !is),
    ...Object.fromEntries(TABS.map(({ view: to, key }) => [`g ${key}`, () => go(to)])),
  });
  useEffect(() => {
    document.title = `${TABS.find((tab) => tab.view === view)?.name ?? "Run"} · armseg Studio`;
    document.querySelector("main")?.scrollTo(0, 0);
  }, [view]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={linkTo("runs")}>
          <img src="./icon.svg" alt="" width="22" height="22" />
          <span>
            armseg <b>Studio</b>
          </span>
        </a>
        <nav aria-label="Views">
          {TABS.map(({ view: to, name }) => (
            <a
              key={to}
              href={linkTo(to, paramsOf(to, run))}
              aria-current={to === view || (to === "runs" && view === "run") ? "page" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <ThemeSwitch />
        <button
          type="button"
          class="quiet"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => setHelpOpen(true)}
        >
          ?
        </button>
      </header>
      <Connection />
      <main id="main" tabIndex={-1}>
        {view === "runs" && <RunsView />}
        {view === "run" && <RunView />}
        {view === "curve" && <CurveView />}
        {view === "pixels" && <PixelsView />}
        {view === "review" && <ReviewView />}
        {view === "try" && <TryView />}
      </main>
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </>
  );
}

/** The run goes along where there is one to show. */
function paramsOf(to: View, run: string | undefined): { run?: string } {
  return to === "runs" || to === "try" || run === undefined ? {} : { run };
}

function Connection() {
  if (useStore(isConnected)) return null;
  return (
    <p class="lost" role="alert">
      Studio does not answer any more. What is shown may be old, and verdicts are kept here until it is back.
      If it was stopped, start it again with <code>npx armseg studio</code> and open the new address.
    </p>
  );
}

const THEMES: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };
const SIGNS: Readonly<Record<Theme, string>> = { system: "◐", dark: "☾", light: "☀" };

function ThemeSwitch() {
  const current = useStore(theme);
  return (
    <button
      type="button"
      class="quiet"
      title={`Colours: ${current}`}
      aria-label={`Colours: ${current}. Change`}
      onClick={() => {
        theme.value = THEMES[current];
      }}
    >
      {SIGNS[current]}
    </button>
  );
}
