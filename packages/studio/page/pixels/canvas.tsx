import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ClassColor } from "../../src/api.ts";
import type { Pixels } from "../core/server.ts";
import { useStore } from "../core/store.ts";
import { isDark } from "../core/theme.ts";
import { Compositor, type Planes } from "./compositor.ts";
import { fitted, type Look, type Viewport, zoomed } from "./look.ts";
import { drawValues, showsValues } from "./values.ts";

/** A place of the image, in its pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What takes the pointer in the place of moving the view. */
export interface Tool {
  onDown(place: Place, event: PointerEvent): void;
  onMove(place: Place, event: PointerEvent): void;
  onUp(place: Place, event: PointerEvent): void;
  /** True if the wheel was for the tool. */
  onWheel(event: WheelEvent): boolean;
}

export interface CanvasProps {
  readonly label: string;
  readonly planes: Planes | null;
  readonly classes: readonly ClassColor[];
  readonly look: Look;
  /** Null shows the whole image. */
  readonly view: Viewport | null;
  readonly onView: (view: Viewport | null) => void;
  readonly weights?: readonly number[] | null;
  readonly paint?: Pixels | null;
  /** Changes whenever the paint does. */
  readonly paintStamp?: number;
  readonly tool?: Tool | null;
  readonly onPoint?: (place: Place | null) => void;
  /** Draws over the image; the context is in pixels of the canvas. */
  readonly onOverlay?: (context: CanvasRenderingContext2D, view: Viewport) => void;
  readonly children?: ComponentChildren;
}

/** While there is no image yet. */
const EMPTY: Viewport = { x: 0, y: 0, scale: 1 };

/** An image with its layers, to be moved and zoomed. */
export function PixelCanvas(props: CanvasProps) {
  const { planes, classes, look, view, onView, weights, paint, paintStamp, onOverlay, onPoint, tool } = props;
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const compositor = useRef<Compositor | null>(null);
  const isWritten = useRef(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [canvasSize, setCanvasSize] = useState<readonly [number, number]>([1, 1]);
  const dark = useStore(isDark);
  const shown = planes ? (view ?? fitted(planes.size, canvasSize)) : null;
  const ratio = Math.min(2, devicePixelRatio || 1);

  useLayoutEffect(() => {
    try {
      compositor.current = new Compositor(canvas.current!);
    } catch (error) {
      setProblem((error as Error).message);
    }
    const observer = new ResizeObserver(() => {
      const { clientHeight, clientWidth } = host.current!;
      setCanvasSize([
        Math.max(1, Math.round(clientHeight * ratio)),
        Math.max(1, Math.round(clientWidth * ratio)),
      ]);
    });
    observer.observe(host.current!);
    return () => {
      observer.disconnect();
      compositor.current?.dispose();
      compositor.current = null;
    };
  }, [ratio]);
  useLayoutEffect(() => compositor.current?.setPlanes(planes), [planes]);
  useLayoutEffect(() => compositor.current?.setClasses(classes, look.onlyClass), [classes, look.onlyClass]);
  useLayoutEffect(() => compositor.current?.setWeights(weights ?? null), [weights]);
  useLayoutEffect(() => compositor.current?.setPaint(paint ?? null), [paint, paintStamp]);
  useLayoutEffect(() => {
    const element = canvas.current!;
    const over = overlay.current!;
    for (const one of [element, over]) {
      if (one.height !== canvasSize[0]) one.height = canvasSize[0];
      if (one.width !== canvasSize[1]) one.width = canvasSize[1];
    }
    compositor.current?.draw(look, shown ?? EMPTY, dark ? [20, 24, 31] : [236, 239, 243]);
    const hasValues = planes !== null && shown !== null && showsValues(shown) && !look.isHidden;
    // Touching the upper canvas makes the browser compose it anew, which without a graphics card takes longer than all the rest.
    if (!hasValues && !onOverlay && !isWritten.current) return;
    const context = over.getContext("2d")!;
    context.clearRect(0, 0, over.width, over.height);
    isWritten.current = hasValues || onOverlay !== undefined;
    if (hasValues) drawValues(context, planes, shown, classes);
    if (shown) onOverlay?.(context, shown);
  });

  const placeOf = (event: { clientX: number; clientY: number }): readonly [number, number] => {
    const box = canvas.current!.getBoundingClientRect();
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  };
  const imagePlace = (event: PointerEvent): Place => {
    const [x, y] = placeOf(event);
    return { x: shown!.x + x / shown!.scale, y: shown!.y + y / shown!.scale };
  };
  const held = useHeldPointers();

  // A wheel listener of the framework would be passive and could not keep the page where it is.
  const onWheel = useRef<(event: WheelEvent) => void>(() => {});
  onWheel.current = (event) => {
    if (!shown) return;
    event.preventDefault();
    if (tool?.onWheel(event)) return;
    onView(zoomed(shown, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), placeOf(event)));
  };
  useEffect(() => {
    const element = overlay.current!;
    const listener = (event: WheelEvent) => onWheel.current(event);
    element.addEventListener("wheel", listener, { passive: false });
    return () => element.removeEventListener("wheel", listener);
  }, []);

  const move = (dx: number, dy: number) =>
    shown && onView({ ...shown, x: shown.x - dx / shown.scale, y: shown.y - dy / shown.scale });
  const zoomMiddle = (factor: number) =>
    shown && onView(zoomed(shown, factor, [canvasSize[1] / 2, canvasSize[0] / 2]));
  const onKeyDown = (event: KeyboardEvent) => {
    const far = 0.12 * canvasSize[1];
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => move(far, 0),
      ArrowRight: () => move(-far, 0),
      ArrowUp: () => move(0, far),
      ArrowDown: () => move(0, -far),
      "+": () => zoomMiddle(1.4),
      "=": () => zoomMiddle(1.4),
      "-": () => zoomMiddle(1 / 1.4),
      "0": () => onView(null),
    };
    const action = moves[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return (
    <div
      ref={host}
      class={`canvas${tool ? " tool" : ""}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys that move and zoom
      tabIndex={0}
      role="application"
      aria-busy={planes === null}
      aria-roledescription="image"
      aria-label={`${props.label}. Arrow keys move, plus and minus zoom, 0 shows all.`}
      onKeyDown={onKeyDown}
    >
      <canvas ref={canvas} class="pixels" />
      <canvas
        ref={overlay}
        class="over"
        onPointerDown={(event) => {
          if (!shown || event.button > 1) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          held.down(event);
          if (tool && event.button === 0 && !event.shiftKey && held.count() === 1)
            tool.onDown(imagePlace(event), event);
        }}
        onPointerMove={(event) => {
          if (!shown) return;
          onPoint?.(imagePlace(event));
          const { dx, dy, pinch, isHeld } = held.move(event);
          if (tool && !event.shiftKey && held.count() <= 1 && !(event.buttons & 4)) {
            tool.onMove(imagePlace(event), event);
          } else if (isHeld) {
            const moved = {
              ...shown,
              x: shown.x - (dx * ratio) / shown.scale,
              y: shown.y - (dy * ratio) / shown.scale,
            };
            onView(pinch === 1 ? moved : zoomed(moved, pinch, placeOf(event)));
          }
        }}
        onPointerUp={(event) => {
          held.up(event);
          if (shown) tool?.onUp(imagePlace(event), event);
        }}
        onPointerCancel={(event) => held.up(event)}
        onPointerLeave={() => onPoint?.(null)}
        onDblClick={() =>
          !tool && onView(view === null ? zoomed(shown!, 4, [canvasSize[1] / 2, canvasSize[0] / 2]) : null)
        }
      />
      {problem && <p class="canvas-note">{problem}</p>}
      {props.children}
    </div>
  );
}

/** Gives a key to the first image of the page, as if it had the focus. */
export function toCanvas(key: string): void {
  document.querySelector(".canvas")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: false }));
}

/** The keys that zoom, wherever the focus is. */
export const CANVAS_KEYS: Readonly<Record<string, () => void>> = Object.fromEntries(
  ["+", "=", "-", "0"].map((key) => [key, () => toCanvas(key)]),
);

/** Fingers and mouse buttons that are down: one moves, two pinch. */
function useHeldPointers() {
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const spread = () => {
    const [a, b] = [...pointers.current.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };
  return {
    count: () => pointers.current.size,
    down: ({ pointerId, clientX, clientY }: PointerEvent) => {
      pointers.current.set(pointerId, { x: clientX, y: clientY });
    },
    up: ({ pointerId }: PointerEvent) => {
      pointers.current.delete(pointerId);
    },
    move: ({ pointerId, clientX, clientY }: PointerEvent) => {
      const before = pointers.current.get(pointerId);
      if (!before) return { dx: 0, dy: 0, pinch: 1, isHeld: false };
      const wide = spread();
      pointers.current.set(pointerId, { x: clientX, y: clientY });
      const share = 1 / pointers.current.size;
      const pinch = wide > 0 ? spread() / wide : 1;
      return { dx: share * (clientX - before.x), dy: share * (clientY - before.y), pinch, isHeld: true };
    },
  };
}
