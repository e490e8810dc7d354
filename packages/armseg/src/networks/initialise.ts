import { nn } from "@armseg/torch";

/** Starts every convolution as the recipes start those that are no classifier: Kaiming for ReLU, fan-out, normal; biases 0. */
export function initialiseConvolutions(network: nn.AnyModule): void {
  for (const module of network.modules()) {
    if (!(module instanceof nn.Conv2d)) continue;
    nn.init.kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
    if (module.bias !== null) nn.init.constant_(module.bias, 0);
  }
}

/** Starts a classifier as mmsegmentation starts `conv_seg`: N(0, 0.01²) and bias 0. */
export function initialiseClassifier(convolution: nn.Conv2d, deviation = 0.01): nn.Conv2d {
  nn.init.normal_(convolution.weight, 0, deviation);
  if (convolution.bias !== null) nn.init.constant_(convolution.bias, 0);
  return convolution;
}

/** Sets the scale of a normalisation to 0, so that its residual branch starts as nothing. */
export function zeroScale(norm: nn.Module): void {
  if (norm instanceof nn.BatchNorm2d && norm.weight !== null) nn.init.constant_(norm.weight, 0);
}
