"""Reweighted loss, forward and backward: ours beside the same composed of PyTorch operators, and PyTorch's plain cross
entropy. Prints JSON.

    OMP_NUM_THREADS=2 python3 bench/loss.py [--library PATH] [--threads 2] [--size 2,19,128,256,512,1024]
"""

import argparse
import json

import torch

import common
import reference
from peak_memory import peak_memory


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", default=common.LIBRARY)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="2,19,128,256,512,1024", help="N,C,h,w,H,W")
    parser.add_argument("--seconds", type=float, default=10, help="for each contestant")
    return parser.parse_args()


OPTIONS = arguments()
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
    torch.set_num_threads(OPTIONS.threads)
    torch.manual_seed(0)
    logits = (torch.randn(N, C, LOW_H, LOW_W) * 2).requires_grad_()
    logits.grad = torch.zeros_like(logits)
    return logits, common.label_map(N, H, W, C), Arm(), common.load_library(OPTIONS.library)


def ours(inputs):
    logits, labels, arm, ops = inputs
    knots = arm(torch.linspace(-1, 1, 1025).reshape(1, 1, 1, -1)).flatten()
    ops.reweighted_loss(logits, labels, knots)[0].backward()


def composed(inputs):
    """DESIGN section 1 as a PyTorch user writes it: maps of the labels' size, the curve run on every pixel."""
    logits, labels, arm, _ = inputs
    logits = reference.upsample(logits, labels.shape[1:])
    valid = labels != 255
    losses = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255, reduction="none")
    p = logits.detach().softmax(1)
    v = (p - 1 / C).pow(2).mean(1, keepdim=True)
    u = 2 * C * C / (C - 1) * v - 1
    weights = arm(u)[:, 0] * valid
    hat = weights / weights.pow(2).sum().sqrt()
    (hat / hat.sum().detach() * losses).sum().backward()


def plain(inputs):
    logits, labels, _, _ = inputs
    torch.nn.functional.cross_entropy(reference.upsample(logits, labels.shape[1:]), labels, ignore_index=255).backward()


def objectives():
    values = {}
    for function in (ours, composed):
        inputs = prepare()
        function(inputs)
        values[function.__name__] = inputs[0].grad.norm().item()
    return values


def main():
    inputs = prepare()
    contestants = {f.__name__: {**common.median_ms(lambda: f(inputs), OPTIONS.seconds), "peak_bytes": peak_memory(prepare, f)} for f in (ours, composed, plain)}
    mine = contestants["ours"]
    result = {
        "what": "reweighted loss (ARM, var, p = 2), forward + backward", "size": [N, C, LOW_H, LOW_W, H, W], **common.machine(inputs[3], OPTIONS.threads),
        "faster_than_composed": round(contestants["composed"]["median_ms"] / mine["median_ms"], 1),
        "faster_than_plain_cross_entropy": round(contestants["plain"]["median_ms"] / mine["median_ms"], 1),
        "memory_of_composed_over_ours": round(contestants["composed"]["peak_bytes"] / max(mine["peak_bytes"], 1), 1),
        "gradient_norms": objectives(), **contestants,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
