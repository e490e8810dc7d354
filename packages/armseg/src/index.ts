export * from "./datasets/sample.ts";
