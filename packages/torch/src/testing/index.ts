export { withFreePort } from "./free-port.ts";
export { isOnCpu, onTestDevice, testDevice, tolerance } from "./test-device.ts";
