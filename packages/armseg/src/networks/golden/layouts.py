"""Writes layouts.json: names and shapes of the weights that torchvision and timm themselves make, and what they compute with them.

Run: python3 layouts.py, with torch, torchvision and timm (made with torch 2.13.0, torchvision 0.28.0, timm 1.0.29). No weights are fetched: each
tensor is filled by formula.py from the name that its library gives it, so that a file of it can be made anywhere.
"""
import json
import pathlib

import timm
import torch
import torchvision

from formula import values
from generate import fill, summary


def trunk_stages(net, x):
    stages = []
    for i in range(1, 5):
        x = getattr(net, f"layer{i}")(x)
        stages.append(x)
    return stages


def torchvision_resnet(net, x):
    return trunk_stages(net, net.maxpool(net.relu(net.bn1(net.conv1(x)))))


def timm_resnest(net, x):
    return trunk_stages(net, net.maxpool(net.act1(net.bn1(net.conv1(x)))))


def torchvision_mobilenet(net, x):
    """The last of strides 4, 8, 16 and 32."""
    stages = []
    for i, layer in enumerate(net.features[:18]):
        x = layer(x)
        if i in (3, 6, 13, 17):
            stages.append(x)
    return stages


def torchvision_segmentation(net, x):
    stages = torchvision_resnet(net.backbone, x)
    return [*stages, net.aux_classifier(stages[2])]


def segmentation(name):
    make = getattr(torchvision.models.segmentation, name)
    return make(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)


# HRNet's names alone: as a classifier it resizes to the nearest pixel, as a segmentation network bilinearly.
MODELS = {
    **{f"torchvision {name}": (getattr(torchvision.models, name), torchvision_resnet) for name in ("resnet18", "resnet50", "resnet101")},
    "torchvision mobilenet_v2": (torchvision.models.mobilenet_v2, torchvision_mobilenet),
    "torchvision fcn_resnet50": (lambda: segmentation("fcn_resnet50"), torchvision_segmentation),
    **{f"timm {name}": (lambda name=name: timm.create_model(name), timm_resnest) for name in ("resnest50d", "resnest101e")},
    "timm hrnet_w18": (lambda: timm.create_model("hrnet_w18"), None),
}


def layout(make, run):
    net = fill(make(), False)
    tensors = {name: list(tensor.shape) for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        outputs = run(net, values("images", (2, 3, 49, 65))) if run else []
    return {"outputs": [summary(y) for y in outputs], "tensors": tensors}


if __name__ == "__main__":
    torch.set_num_threads(2)
    lines = []
    for name, (make, run) in MODELS.items():
        lines.append(f"{json.dumps(name)}: {json.dumps(layout(make, run), separators=(',', ':'))}")
        print(name, flush=True)
    pathlib.Path(__file__).with_name("layouts.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
