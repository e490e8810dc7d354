export { scenesClasses } from "./classes.ts";
export { type GeneratedScene, generateScene, type SceneOptions } from "./generate-scene.ts";
