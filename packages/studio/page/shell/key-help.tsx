import { useEffect, useRef } from "preact/hooks";

const KEYS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Everywhere",
    [
      ["g, then r c p w t", "go to runs, curve, pixels, review, try"],
      ["?", "these keys"],
    ],
  ],
  [
    "Pixels",
    [
      ["j  k", "next, previous image"],
      ["1 … 5", "label, prediction, confidence, weight, disagreement"],
      ["h, held", "hide all layers"],
      ["+  −", "zoom in, out"],
      ["0", "the whole image"],
      ["arrows", "move the view"],
      ["[  ]", "less, more opaque"],
      ["a", "all classes again"],
    ],
  ],
  [
    "Review",
    [
      ["s", "keep the label: it is right"],
      ["p", "take the prediction"],
      ["v", "make void"],
      ["b", "brush; again: erase"],
      ["y", "polygon: click points, Enter closes"],
      ["wheel", "size of the brush, while painting"],
      ["w", "paint the whole patch that the region is a part of"],
      ["o", "paint only over the region's class"],
      ["c", "paint with the class under the pointer"],
      ["Enter", "save what was painted"],
      ["u, Ctrl Z", "undo a stroke; without one, the last verdict"],
      ["j  k", "next, previous region"],
    ],
  ],
];

/** The keys, in a dialog. */
export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <header>
        <h2 id="help-title">Keys</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      <div class="columns">
        {KEYS.map(([title, rows]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map(([key, meaning]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
