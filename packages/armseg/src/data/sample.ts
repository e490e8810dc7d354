/** One class of a data set; its index in {@link Dataset.classes} is the class index of labels and logits. */
export interface ClassInfo {
  readonly name: string;
  /** Red, green, blue, each 0..255. */
  readonly color: readonly [number, number, number];
}

/**
 * How a label file's content becomes class indices.
 *
 * Every entry maps to a class index or to the ignore index, 255; what has no entry is an error, never a guess.
 */
export type LabelMap =
  /** Grey or indexed masks: pixel value to class. */
  | { readonly encoding: "values"; readonly classes: Readonly<Record<number, number>> }
  /** RGB masks: `"r,g,b"` to class. */
  | { readonly encoding: "colors"; readonly classes: Readonly<Record<string, number>> }
  /** Polygons and other named shapes: name to class. */
  | { readonly encoding: "names"; readonly classes: Readonly<Record<string, number>> };

/** A closed region of an image, painted in order; later regions cover earlier ones. */
export interface Region {
  /** The annotation's own name of the class; looked up in the label map. */
  readonly label: string;
  readonly shape: /** Rings of `[x0, y0, x1, y1, ...]` in pixels, filled by the even-odd rule. */
    | { readonly kind: "polygon"; readonly rings: readonly (readonly number[])[] }
    /** Run lengths, first run is background; a string is COCO's compressed form of them. */
    | {
        readonly kind: "rle";
        readonly height: number;
        readonly width: number;
        readonly counts: readonly number[] | string;
        /** Where the box of `height` by `width` lies in the image. Default 0, 0. */
        readonly top?: number;
        readonly left?: number;
        /** Runs go along rows (CVAT) instead of down columns (COCO, the default). */
        readonly isRowMajor?: boolean;
      };
}

/** Where the labels of one image come from. Plain data: it is sent to worker threads. */
export type Annotation =
  | {
      readonly kind: "mask";
      readonly path: string;
      readonly labelMap: LabelMap;
      /** Read this channel of an RGB mask as the values (COCO panoptic, two-channel form). */
      readonly channel?: 0 | 1 | 2;
      /** Reads grey levels below it, on the scale of 0 to 255, as the value 0 and the others as 255. */
      readonly threshold?: number;
      /** `ignore` ignores pixels whose alpha is 0. Default: they count as what their values or colours say. */
      readonly transparent?: "ignore";
      /** Advice added to the error for a value outside the label map. */
      readonly remedy?: string;
    }
  | {
      readonly kind: "regions";
      /** The file that the regions were or will be read from, for messages. */
      readonly path: string;
      /** Format of the file at `path` when the regions are read lazily; `inline` when they are given here. */
      readonly format: "cityscapes" | "labelme" | "inline";
      readonly regions?: readonly Region[];
      readonly labelMap: LabelMap;
      /** Class index of what no region covers: the ignore index, 255 or a background class. */
      readonly background: number;
      /** `[height, width]` of the image in pixels, where the annotation file says it. */
      readonly size?: readonly [number, number];
      /**
       * `closed` (default): vertices truncated to whole pixels, borders included, as PIL and cityscapesScripts paint.
       * `centres`: a pixel belongs to a polygon when its centre (x + 0.5, y + 0.5) does, as in COCO and CVAT.
       */
      readonly fill?: "closed" | "centres";
    };

/** One image with its annotation, as they lie on disk. Plain data: it is sent to worker threads. */
export interface Sample {
  /** Unique within the data set, without folder and suffix, e.g. `aachen_000000_000019`. */
  readonly name: string;
  /** Path of the image, or of the LabelMe file (`.json`) in which it is embedded. */
  readonly image: string;
  /** Absent where the split has no labels (test sets). */
  readonly annotation?: Annotation;
  /** The values of 16-bit, float and signed images that become 0 and 255. Default: all of 16 bits; others are refused. */
  readonly imageRange?: readonly [number, number];
  /**
   * What a teacher makes of the annotation, of the same size: what was left out is filled. Trained on in its place; where the two
   * differ, the loader may weigh the pixels less.
   */
  readonly taught?: Annotation;
  /** Optional per-pixel weight map, PNG (0..255 to 0..1) or NPY (float32), of the label's size. */
  readonly weights?: string;
}

/** A data set's split: what to read, and what it means. */
export interface Dataset {
  readonly name: string;
  readonly split: string;
  readonly classes: readonly ClassInfo[];
  readonly samples: readonly Sample[];
  /** What was left out and why, for the log: one sentence each. */
  readonly notes: readonly string[];
  /** Images without a label and labels without an image, left out of {@link Dataset.samples}. */
  readonly unpaired?: readonly string[];
  /** What is wrong with the files, as far as opening them showed it; the scan reports it. */
  readonly problems?: readonly DatasetProblem[];
}

/** What opening a data set's files showed to be wrong with them. */
export interface DatasetProblem {
  readonly kind:
    | "annotation without area"
    | "two labels for one image"
    | "several files of one name"
    | "names that look alike"
    | "polygon inside another of its annotation";
  /** Names files and remedy. */
  readonly text: string;
  /** The sample concerned: a list without it is free of the problem. */
  readonly sample?: string;
}

/** Class index per pixel, row-major, values `0..C-1` or the ignore index, 255. Only ever resized by nearest neighbour. */
export interface LabelImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** 8-bit RGB image, interleaved, row-major. */
export interface RgbImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}
