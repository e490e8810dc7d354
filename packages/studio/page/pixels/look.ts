/** The layers that lie over an image, from below. */
export const LAYERS = ["label", "prediction", "confidence", "weight", "disagreement"] as const;
export type Layer = (typeof LAYERS)[number];

/** How an image and its layers are shown. */
export interface Look {
  /** 0 to 1 for each layer; 0 is not drawn. */
  readonly opacity: Readonly<Record<Layer, number>>;
  /** Of the image itself. */
  readonly image: number;
  /** This class alone, 255 for void; null for all. */
  readonly onlyClass: number | null;
  /** Layers are drawn where the confidence lies between, -1 to 1. */
  readonly range: readonly [number, number];
  /** Darkens what lies outside of the range. */
  readonly isLit: boolean;
  /** While the key is held. */
  readonly isHidden: boolean;
}

export const FIRST_LOOK: Look = {
  opacity: { label: 0, prediction: 0.55, confidence: 0, weight: 0, disagreement: 0 },
  image: 1,
  onlyClass: null,
  range: [-1, 1],
  isLit: false,
  isHidden: false,
};

/** Which part of an image is seen: the image's point at the upper left corner, and screen pixels per image pixel. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** The confidence, or the likelihood, that a plane's byte stands for. */
export function confidenceOf(byte: number, isLikelihood: boolean): number {
  return isLikelihood ? byte / 255 : byte / 127.5 - 1;
}

/** Where the whole image is seen, in the middle. */
export function fitted(
  size: readonly [height: number, width: number],
  canvas: readonly [height: number, width: number],
): Viewport {
  const scale = Math.min(canvas[0] / size[0], canvas[1] / size[1]) || 1;
  return {
    scale,
    x: (size[1] - canvas[1] / scale) / 2,
    y: (size[0] - canvas[0] / scale) / 2,
  };
}

const MOST = 96;

/** Zooms so that the point of the image under a place of the canvas stays there. */
export function zoomed(view: Viewport, factor: number, at: readonly [x: number, y: number]): Viewport {
  const scale = Math.min(MOST, Math.max(0.02, view.scale * factor));
  return {
    scale,
    x: view.x + at[0] / view.scale - at[0] / scale,
    y: view.y + at[1] / view.scale - at[1] / scale,
  };
}
