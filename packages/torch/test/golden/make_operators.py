"""Writes operators.json: inputs and results of operators as Python's PyTorch computes them. Run by hand; CI needs no Python."""
import json
import pathlib

import torch

torch.manual_seed(0)
torch.set_num_threads(1)


def pack(value):
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        return {"dtype": dtype, "shape": list(value.shape), "values": value.detach().double().flatten().tolist()}
    if isinstance(value, (tuple, list)):
        return [pack(one) for one in value]
    return value


x = torch.randn(2, 3, 5, 4)
w = torch.randn(6, 3, 3, 3)
m = torch.randn(4, 3)
y = torch.tensor([2, 0, 1, 2])

cases = []


def case(name, tensors, expected):
    cases.append({"name": name, "tensors": [pack(t) for t in tensors], "expected": pack(expected)})


case("softmax(1)", [x], x.softmax(1))
case("sum([1], keepdim)", [x], x.sum([1], keepdim=True))
case("var_mean over dims, unbiased false", [x], torch.var_mean(x, [0, 2, 3], unbiased=False))
case("conv2d dilated", [x, w], torch.conv2d(x, w, None, [1, 1], [2, 2], [2, 2], 1))
case("conv2d of one number for both sides", [x, w], torch.conv2d(x, w, padding=1, stride=2))
case("bilinear", [x], torch.nn.functional.interpolate(x, size=(9, 7), mode="bilinear", align_corners=False))
case("max along a dimension", [x], x.max(1))
case("topk", [m], m.topk(2, 1))
case("cross entropy, one ignored", [m, y], torch.nn.functional.cross_entropy(m, y, ignore_index=0))
case("index by tensors", [m, y], m[y])
case("add with alpha", [m], m.add(m, alpha=0.5))
case("clamp", [m], m.clamp(-0.5, 0.5))
case("max pool with indices", [x], torch.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True))
case("split", [x], x.split(2, 2))
case("where", [m], torch.where(m > 0, m, torch.zeros_like(m)))
case("einsum", [m], torch.einsum("ij,kj->ik", m, m))
case("to float64 and back", [m], (m.double() * 3).float())
case("argmax", [x], x.argmax(1))
case("cat", [m], torch.cat([m, m * 2], 1))

path = pathlib.Path(__file__).with_name("operators.json")
path.write_text(json.dumps(cases))
