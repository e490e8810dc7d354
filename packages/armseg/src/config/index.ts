export { buildNetwork, buildTraining, type Training } from "./build.ts";
export { openData } from "./open-data.ts";
export { ConfigError, checkConfig, readConfig } from "./read-config.ts";
export type { Config, ConfigInput } from "./schema.ts";
