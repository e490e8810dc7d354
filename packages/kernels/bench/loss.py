"""Reweighted loss, forward and backward: ours beside the same composed of PyTorch operators, on a GPU also compiled, and PyTorch's
plain cross entropy. Prints JSON.

    OMP_NUM_THREADS=2 python3 bench/loss.py [--library PATH] [--device cuda] [--threads 2] [--size 2,19,128,256,512,1024]
"""

import argparse
import functools
import json

import torch

import common
import reference
from peak_memory import peak_memory


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", default=common.LIBRARY)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="2,19,128,256,512,1024", help="N,C,h,w,H,W")
    parser.add_argument("--seconds", type=float, default=10, help="for each contestant")
    return parser.parse_args()


OPTIONS = arguments()
DEVICE = common.device_of(OPTIONS)
N, C, LOW_H, LOW_W, H, W = map(int, OPTIONS.size.split(","))


class Arm(torch.nn.Module):
    """The paper's curve: four 1x1 convolutions with bias, Swish between them, a sigmoid at the end."""

    def __init__(self):
        super().__init__()
        conv, swish = (lambda i, o: torch.nn.Conv2d(i, o, 1)), torch.nn.SiLU
        self.layers = torch.nn.Sequential(conv(1, 4), swish(), conv(4, 4), swish(), conv(4, 4), swish(), conv(4, 1), torch.nn.Sigmoid())

    def forward(self, u):
        return self.layers(u)


def prepare():
    torch.manual_seed(0)
    logits = (torch.randn(N, C, LOW_H, LOW_W) * 2).to(DEVICE).requires_grad_()
    logits.grad = torch.zeros_like(logits)
    return logits, common.label_map(N, H, W, C).to(DEVICE), Arm().to(DEVICE), common.load_library(OPTIONS.library)


def ours(inputs):
    logits, labels, arm, ops = inputs
    knots = arm(torch.linspace(-1, 1, 1025, device=DEVICE).reshape(1, 1, 1, -1)).flatten()
    ops.reweighted_loss(logits, labels, knots)[0].backward()


def objective(logits, labels, arm):
    """DESIGN section 1 as a PyTorch user writes it: maps of the labels' size, the curve run on every pixel."""
    logits = reference.upsample(logits, labels.shape[1:])
    valid = labels != 255
    losses = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255, reduction="none")
    p = logits.detach().softmax(1)
    v = (p - 1 / C).pow(2).mean(1, keepdim=True)
    u = 2 * C * C / (C - 1) * v - 1
    weights = arm(u)[:, 0] * valid
    hat = weights / weights.pow(2).sum().sqrt()
    return (hat / hat.sum().detach() * losses).sum()


def composed(inputs):
    objective(*inputs[:3]).backward()


@functools.lru_cache(None)
def compiled_objective():
    return torch.compile(objective)


def compiled(inputs):
    compiled_objective()(*inputs[:3]).backward()


def plain(inputs):
    logits, labels, _, _ = inputs
    torch.nn.functional.cross_entropy(reference.upsample(logits, labels.shape[1:]), labels, ignore_index=255).backward()


def contest(function, inputs):
    figures = common.median_ms(lambda: function(inputs), OPTIONS.seconds, DEVICE)
    peak = peak_memory(prepare, function, DEVICE)
    fresh = prepare()
    function(fresh)
    return {**figures, "peak_bytes": peak, "gradient_norm": fresh[0].grad.norm().item()}


def contest_if_possible(function, inputs):
    """Not every PyTorch compiles, and not every device has our kernel: then the reason."""
    try:
        return contest(function, inputs)
    except Exception as problem:
        return {"missing": (str(problem).strip() or repr(problem)).splitlines()[0]}


def over(contestants, name, figure):
    """How many times as much as ours another contestant takes."""
    if any("missing" in contestants[key] for key in (name, "ours")):
        return None
    return round(contestants[name][figure] / max(contestants["ours"][figure], 1e-3), 1)


def main():
    inputs = prepare()
    contestants = {"ours": contest_if_possible(ours, inputs), "composed": contest(composed, inputs), "plain": contest(plain, inputs)}
    if DEVICE.type == "cuda":
        contestants["compiled"] = contest_if_possible(compiled, inputs)
    result = {
        "what": "reweighted loss (ARM, var, p = 2), forward + backward", "size": [N, C, LOW_H, LOW_W, H, W], **common.machine(inputs[3], OPTIONS.threads, DEVICE),
        "faster_than_composed": over(contestants, "composed", "median_ms"),
        "faster_than_plain_cross_entropy": over(contestants, "plain", "median_ms"),
        "memory_of_composed_over_ours": over(contestants, "composed", "peak_bytes"), **contestants,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
