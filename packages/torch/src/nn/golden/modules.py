"""Writes modules.json: outputs and gradients of PyTorch's modules. Run: python3 modules.py (made with torch 1.13.0)."""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F


def numbers(tensor):
    """Nested lists of the shortest decimals that name the same float32 numbers."""
    if tensor.dim() == 0:
        return float(str(tensor.detach().numpy()))
    return [numbers(part) for part in tensor.detach()]


def case(module, x, calls=1):
    """Output, gradient of the input and of the parameters for the sum of outputs times a fixed ramp, and the state."""
    x = x.clone().requires_grad_()
    for _ in range(calls):
        y = module(x)
    ramp = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
    (y * ramp).sum().backward()
    return {
        "output": numbers(y),
        "inputGradient": numbers(x.grad),
        "gradients": {name: numbers(p.grad) for name, p in module.named_parameters()},
        "state": {name: numbers(t) for name, t in module.state_dict().items()},
    }


def seeded(make):
    torch.manual_seed(7)
    return make()


class Resize(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        return F.interpolate(x, **self.options)


torch.manual_seed(0)
x = torch.randn(2, 4, 6, 5)
flat = torch.randn(3, 4)
conv = lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(2, 1), groups=2)
block = lambda: nn.Sequential(nn.Conv2d(4, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 1))
cases = {
    "conv": case(seeded(conv), x),
    "linear": case(seeded(lambda: nn.Linear(4, 3)), flat),
    "sequential": case(seeded(block), x),
    "batchNorm": case(nn.BatchNorm2d(4), x, calls=2),
    "batchNormCumulative": case(nn.BatchNorm2d(4, momentum=None, eps=1e-3), x, calls=3),
    "silu": case(nn.SiLU(), x),
    "sigmoid": case(nn.Sigmoid(), x),
    "maxPool": case(nn.MaxPool2d(3, stride=2, padding=1), x),
    "maxPoolCeil": case(nn.MaxPool2d(2, ceil_mode=True), x),
    "avgPool": case(nn.AvgPool2d(3, stride=2, padding=1), x),
    "avgPoolExclusive": case(nn.AvgPool2d(2, padding=1, ceil_mode=True, count_include_pad=False), x),
    "adaptiveAvgPool": case(nn.AdaptiveAvgPool2d((4, 3)), x),
    "bilinear": case(Resize(size=(9, 11), mode="bilinear", align_corners=False), x),
    "bilinearCorners": case(Resize(size=(9, 11), mode="bilinear", align_corners=True), x),
    "bilinearFactor": case(Resize(scale_factor=1.7, mode="bilinear", align_corners=False), x),
    "nearest": case(Resize(size=(9, 11), mode="nearest"), x),
    "nearestFactor": case(Resize(scale_factor=(2.0, 0.5), mode="nearest"), x),
}

torch.manual_seed(3)
dropped = nn.Dropout2d(0.4)(x)
droppedSingly = nn.Dropout(0.4)(x)


def filled(fill):
    torch.manual_seed(11)
    return numbers(fill(torch.empty(3, 2, 3, 2)))


fills = {
    "kaimingNormal": filled(nn.init.kaiming_normal_),
    "kaimingNormalFanOut": filled(lambda t: nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu")),
    "kaimingUniform": filled(lambda t: nn.init.kaiming_uniform_(t, a=0.3)),
    "xavierNormal": filled(lambda t: nn.init.xavier_normal_(t, gain=1.5)),
    "xavierUniform": filled(nn.init.xavier_uniform_),
    "normal": filled(lambda t: nn.init.normal_(t, 0.5, 0.01)),
    "uniform": filled(lambda t: nn.init.uniform_(t, -2, 3)),
}
gains = {name: nn.init.calculate_gain(name) for name in ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]}

golden = {
    "torch": torch.__version__,
    "x": numbers(x),
    "flat": numbers(flat),
    "cases": cases,
    "dropped": numbers(dropped),
    "droppedSingly": numbers(droppedSingly),
    "fills": fills,
    "gains": gains,
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n")
