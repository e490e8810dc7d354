export { type Answer, type FileServer, fileServer, send } from "./file-server.ts";
export { withFreePort } from "./free-port.ts";
export { isOnCpu, onTestDevice, testDevice, tolerance } from "./test-device.ts";
