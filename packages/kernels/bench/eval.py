"""Evaluation, from low-resolution logits to the confusion matrix: ours beside PyTorch's upsample + argmax + bincount.
Prints JSON.

    OMP_NUM_THREADS=2 python3 bench/eval.py [--library PATH] [--device cuda] [--threads 2] [--size 1,19,256,512,1024,2048]
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
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="1,19,256,512,1024,2048", help="N,C,h,w,H,W")
    parser.add_argument("--seconds", type=float, default=10, help="for each contestant")
    return parser.parse_args()


OPTIONS = arguments()
DEVICE = common.device_of(OPTIONS)
N, C, LOW_H, LOW_W, H, W = map(int, OPTIONS.size.split(","))


def prepare():
    torch.manual_seed(0)
    logits, labels = torch.randn(N, C, LOW_H, LOW_W) * 2, common.label_map(N, H, W, C).byte()
    return logits.to(DEVICE), labels.to(DEVICE), common.load_library(OPTIONS.library)


def ours(inputs):
    return inputs[2].confusion(inputs[0], inputs[1])


def composed(inputs):
    return reference.confusion(inputs[0], inputs[1])


def main():
    with torch.no_grad():
        inputs = prepare()
        contestants = {f.__name__: {**common.median_ms(lambda: f(inputs), OPTIONS.seconds, DEVICE), "peak_bytes": peak_memory(prepare, f, DEVICE)} for f in (ours, composed)}
        different = (ours(inputs) - composed(inputs)).abs().sum().item() // 2
    result = {
        "what": "upsampling, arg-max and confusion matrix", "size": [N, C, LOW_H, LOW_W, H, W], **common.machine(inputs[2], OPTIONS.threads, DEVICE),
        "faster": round(contestants["composed"]["median_ms"] / contestants["ours"]["median_ms"], 1),
        "memory_of_composed_over_ours": round(contestants["composed"]["peak_bytes"] / max(contestants["ours"]["peak_bytes"], 1), 1),
        "pixels_counted_differently": different, **contestants,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
