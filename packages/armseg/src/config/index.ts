export {
  buildCurve,
  buildLosses,
  buildNetwork,
  buildTraining,
  networkConfig,
  type TrainingObjects,
} from "./build.ts";
export { prepareData, type TrainingData } from "./build-data.ts";
export { buildAugmentation, buildLoader } from "./build-loaders.ts";
export { openData } from "./open-data.ts";
export { ConfigError, checkConfig, readConfig } from "./read-config.ts";
export type { Config, ConfigInput } from "./schema.ts";
