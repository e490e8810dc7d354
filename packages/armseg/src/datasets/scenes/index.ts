export { scenesClasses } from "./classes.ts";
export { type GeneratedScene, generateScene, type SceneOptions } from "./generate-scene.ts";
export { type WriteScenesOptions, type WrittenScenes, writeScenes } from "./write-scenes.ts";
