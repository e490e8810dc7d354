"""Writes golden.json: outputs and gradients of every network, computed in float64. Run: /usr/bin/python3 generate.py

"eval" normalises by running statistics, where float32 can be held to 1e-4. "train" normalises by the batch: there rounding flips a few ReLUs
of a deep network, so the tests compare it in float64.
ResNets at the three output strides and DeepLab's ASPP come from torchvision's own classes; the rest from reference.py.
"""
import json
import math
import pathlib

import torch
import torch.nn as nn
import torchvision
from torchvision.models.segmentation.deeplabv3 import ASPP

import reference as ref
from formula import values

SAMPLES = 16


def digits(x):
    return [float(f"{v:.7g}") for v in x]


def sample(t, count=SAMPLES):
    flat = t.detach().reshape(-1)
    return digits(flat[[(2 * k + 1) * flat.numel() // (2 * count) for k in range(count)]].tolist())


def summary(t):
    return {"shape": list(t.shape), "norm": digits([t.detach().norm().item()])[0], "samples": sample(t)}


def record(outputs, parameters, images):
    """Outputs by name; gradients of the sum of outputs times probes, divided by the number of values."""
    loss = sum((y * values(f"probe.{name}", tuple(y.shape))).sum() / math.sqrt(y.numel()) for name, y in outputs.items())
    loss.backward()
    names = sorted(parameters)
    picked = names[:: max(1, len(names) // 8)]
    return {
        "outputs": {name: summary(y) for name, y in outputs.items()},
        "images": summary(images.grad),
        "parameters": sum(p.numel() for p in parameters.values()),
        "names": len(names),
        "norms": digits([parameters[name].grad.norm().item() for name in names]),
        "gradients": {name: sample(parameters[name].grad, 6) for name in picked},
    }


def images_of(size):
    return values("images", (2, 3, *size)).requires_grad_()


def fill(module, is_training, rename=lambda name: name):
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(values(rename(name), tuple(tensor.shape)))
    return module.double().train(is_training)


def torchvision_resnet(is_training, depth, stride, size=(49, 65)):
    replace = {8: [False, True, True], 16: [False, False, True], 32: [False] * 3}[stride]
    make = getattr(torchvision.models, f"resnet{depth}")
    if depth == 18:  # torchvision refuses to dilate its BasicBlock: give the layers what mmsegmentation gives them
        net = make()
        for layer, dilation in ((net.layer3, 2), (net.layer4, 4 if replace[1] else 2)):
            if not replace[1 if layer is net.layer3 else 2]:
                continue
            layer[0].conv1.stride = layer[0].downsample[0].stride = (1, 1)
            for block, d in zip(layer, (dilation // 2, dilation)):
                block.conv1.dilation = block.conv1.padding = (d, d)
    else:
        net = make(replace_stride_with_dilation=replace)
    net.fc = nn.Identity()
    fill(net, is_training)
    images = images_of(size)
    x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
    outputs = {}
    for i in range(1, 5):
        x = getattr(net, f"layer{i}")(x)
        outputs[f"stage{i}"] = x
    return record(outputs, dict(net.named_parameters()), images)


def separable(channels, out, dilation):
    def part(inputs, outputs, k, **shape):
        return [nn.Conv2d(inputs, outputs, k, bias=False, **shape), nn.BatchNorm2d(outputs), nn.ReLU()]

    depthwise = part(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels)
    return nn.Sequential(*depthwise, *part(channels, out, 1))


def torchvision_aspp(is_training, size=(13, 40), deep=24, channels=16):
    """torchvision's ASPP, its 3x3 branches made separable and its projection 3x3, as in DeepLabv3+ of mmsegmentation."""
    aspp = ASPP(deep, [12, 24, 36], channels)
    for i, dilation in enumerate((12, 24, 36)):
        aspp.convs[i + 1] = separable(deep, channels, dilation)
    aspp.project[0] = nn.Conv2d(5 * channels, channels, 3, padding=1, bias=False)
    aspp.project[3] = nn.Identity()  # dropout
    layers = {"convs.0": "aspp_modules.0", "convs.4": "image_pool.1", "project": "bottleneck"}

    def rename(name):
        """`convs.1.4.weight` to `aspp_modules.1.pointwise_conv.bn.weight`."""
        for old, new in layers.items():
            if name.startswith(old + "."):
                index, leaf = name[len(old) + 1 :].split(".")
                index = int(index) - (old == "convs.4")
                return f"{new}.{'conv' if index == 0 else 'bn'}.{leaf}"
        _, branch, index, leaf = name.split(".")
        kind = "depthwise_conv" if int(index) < 3 else "pointwise_conv"
        return f"aspp_modules.{branch}.{kind}.{'conv' if int(index) % 3 == 0 else 'bn'}.{leaf}"

    fill(aspp, is_training, rename)
    with torch.no_grad():  # torchvision joins the pooled branch last, mmsegmentation first
        weight = aspp.project[0].weight
        weight.copy_(torch.cat([weight[:, channels:], weight[:, :channels]], 1))
    images = values("images", (2, deep, *size)).requires_grad_()
    result = record({"context": aspp(images)}, {rename(n): p for n, p in aspp.named_parameters()}, images)
    grad = aspp.project[0].weight.grad
    restored = torch.cat([grad[:, -channels:], grad[:, :-channels]], 1)
    result["gradients"] = {"bottleneck.conv.weight": sample(restored, 6)}
    return result


def composed(is_training, network, size=(49, 65)):
    """`network(weights, images)` gives named outputs."""
    weights, images = ref.Weights(is_training), images_of(size)
    outputs = network(weights, images)
    return record(outputs, weights.store, images)


def stages_of(stages):
    return {f"stage{i + 1}": x for i, x in enumerate(stages)}


def deeplab_r18(w, x):
    stages = ref.resnet(w.at("backbone"), x, 18, 16)
    logits, features = ref.deeplab(w.at("decode_head"), stages, 7, 32, 12, (6, 12, 18))
    scale = ref.conv(w, "log_scale_head.conv", features, 1, bias=True)
    return {"logits": logits, "auxiliary": ref.fcn(w.at("auxiliary_head"), stages[2], 7, 24), "logScale": scale}


def deeplab_r50(w, x):
    stages = ref.resnet(w.at("backbone"), x, 50, 8)
    logits, _ = ref.deeplab(w.at("decode_head"), stages, 19, 512, 48)
    return {"logits": logits, "auxiliary": ref.fcn(w.at("auxiliary_head"), stages[2], 19, 256)}


def ocr_r18(w, x):
    stages = ref.resnet(w.at("backbone"), x, 18, 8)
    soft = ref.fcn(w.at("decode_head.0"), stages[2], 5, 24)
    return {"logits": ref.ocr(w.at("decode_head.1"), stages[3], soft, 5, 32, 16), "auxiliary": soft}


def ocr_hrnet(w, x):
    (joined,) = ref.hrnet(w.at("backbone"), x, 18)
    soft = ref.fcn(w.at("decode_head.0"), joined, 5, 270, 1)
    return {"logits": ref.ocr(w.at("decode_head.1"), joined, soft, 5, 32, 16), "auxiliary": soft}


def fcn_r18(w, x):
    stages = ref.resnet(w.at("backbone"), x, 18, 32)
    logits = ref.fcn(w.at("decode_head"), stages[3], 5, 32, convs=2, join=True)
    return {"logits": logits, "auxiliary": ref.fcn(w.at("auxiliary_head"), stages[2], 5, 24)}


CASES = {
    **{f"torchvision resnet{d} os{s}": (lambda t, d=d, s=s: torchvision_resnet(t, d, s)) for d in (18, 50, 101) for s in (8, 16, 32)},
    "torchvision aspp": torchvision_aspp,
    "torchvision aspp narrow": lambda t: torchvision_aspp(t, (2, 5)),
    "resnet50 caffe": lambda t: composed(t, lambda w, x: stages_of(ref.resnet(w, x, 50, 16, "v1", "1x1"))),
    "resnest50 os8": lambda t: composed(t, lambda w, x: stages_of(ref.resnest(w, x, 50, 8))),
    "mobilenet os8": lambda t: composed(t, lambda w, x: stages_of(ref.mobilenet(w, x, 8))),
    "mobilenet os32": lambda t: composed(t, lambda w, x: stages_of(ref.mobilenet(w, x, 32))),
    "hrnet18": lambda t: composed(t, lambda w, x: stages_of(ref.hrnet(w, x, 18))),
    "deeplab resnet18": lambda t: composed(t, deeplab_r18),
    "deeplab resnet50": lambda t: composed(t, deeplab_r50),
    "ocr resnet18": lambda t: composed(t, ocr_r18),
    "ocr hrnet18": lambda t: composed(t, ocr_hrnet),
    "fcn resnet18": lambda t: composed(t, fcn_r18),
}

IN_TRAINING = (
    "torchvision resnet18 os16", "torchvision resnet50 os8", "torchvision aspp", "resnest50 os8", "mobilenet os8", "hrnet18",
    "deeplab resnet18", "ocr resnet18",
)

if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(2)
    runs = [(f"{name}, eval", make, False) for name, make in CASES.items()]
    runs += [(f"{name}, train", CASES[name], True) for name in IN_TRAINING]
    golden = {}
    for name, make, is_training in runs:
        golden[name] = make(is_training)
        print(name, golden[name]["parameters"], flush=True)
    path = pathlib.Path(__file__).with_name("golden.json")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}" for name, case in golden.items())
    path.write_text("{\n" + lines + "\n}\n")
