import type { Training } from "./build.ts";
import type { Config } from "./config/schema.ts";
export function loadPretrained(_training: Training, _config: Config, _say: (text: string) => void): void {}
