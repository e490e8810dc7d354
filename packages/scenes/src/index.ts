export { type SceneClass, scenesClasses } from "./classes.ts";
export { type GeneratedScene, generateScene, type SceneOptions } from "./generate-scene.ts";
export { HashRandom } from "./hash-random.ts";
export type { SceneImage, SceneLabel } from "./scene.ts";
