/** Studio: a page on one's own machine that shows runs, pixels and weights, and mends labels. Loads no libtorch. */
export { type Studio, type StudioOptions, startStudio } from "./studio.ts";
