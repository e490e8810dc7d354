/** Size of an image or a map, in pixels, height first. */
export type Size = readonly [height: number, width: number];
