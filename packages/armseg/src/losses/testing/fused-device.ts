import type { Device, Tensor } from "@armseg/torch";
import { ops, tidy } from "@armseg/torch";
import { isOnCpu, onTestDevice, testDevice } from "@armseg/torch/testing";
import { unsupportedReason } from "../fused.ts";
import { SegmentationLoss } from "../segmentation-loss.ts";

/** Whether the fused kernel takes tensors of the test device. */
export const isFusedOnTestDevice =
  isOnCpu ||
  tidy(() => {
    const logits = ops.zeros([1, 2, 1, 1], { device: testDevice });
    return unsupportedReason({ logits }, new SegmentationLoss().settings) === null;
  });

/** Where the fused kernel is tested: on the test device if it takes its tensors, else on the CPU. */
export const fusedDevice: Device = isFusedOnTestDevice ? testDevice : "cpu";

/** As {@link onTestDevice}, for {@link fusedDevice}. */
export function onFusedDevice(made: Tensor): Tensor {
  return isFusedOnTestDevice ? onTestDevice(made) : made;
}
