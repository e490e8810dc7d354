export { isOnCpu, onTestDevice, testDevice, tolerance } from "./test-device.ts";
