"""Writes camvid-features.json: stage 3 of two real ImageNet ResNets on two CamVid images, as a few sampled numbers.

Run: /usr/bin/python3 camvid_features.py DATA, where DATA holds camvid/ and weights/ (not part of this repository).
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn as nn
import torchvision
from PIL import Image

IMAGES = ("images/val/0016E5_07959.jpg", "images/test/0001TP_008550.jpg")


def read_safetensors(path):
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    body = memoryview(raw)[8 + size :]
    read = lambda e: np.frombuffer(body[slice(*e["data_offsets"])], dtype=np.float32).reshape(e["shape"])
    return {name: torch.from_numpy(read(entry).copy()) for name, entry in header.items()}


def image_of(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float64) / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(pixels).permute(2, 0, 1)


def stage3(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return net.layer3(net.layer2(net.layer1(x)))


def summary(t):
    flat = t.reshape(-1)
    picked = flat[[(2 * k + 1) * flat.numel() // 64 for k in range(32)]]
    return {"shape": list(t.shape), "norm": t.norm().item(), "samples": [float(f"{v:.7g}") for v in picked.tolist()]}


data = pathlib.Path(sys.argv[1])
images = torch.stack([image_of(data / "camvid" / name) for name in IMAGES])
result = {"images": IMAGES}
with torch.no_grad():
    for depth, name in ((18, "resnet18_imagenet_partial"), (50, "resnet50_caffe_imagenet_partial")):
        net = getattr(torchvision.models, f"resnet{depth}")()
        net.load_state_dict(read_safetensors(data / "weights" / f"{name}.safetensors"), strict=False)
        if "caffe" in name:
            for layer in (net.layer2, net.layer3):
                layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
        result[name] = summary(stage3(net.double().eval(), images))
pathlib.Path(__file__).with_name("camvid-features.json").write_text(json.dumps(result, indent=1) + "\n")
