/** The label of pixels that take part in no loss and no score: void, or outside of every class. */
export const IGNORE_INDEX = 255;
