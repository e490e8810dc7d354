"""Makes the golden files of this folder with PyTorch (1.13) and numpy; run it here: python3 make_golden.py.

Each X.pth has X.json beside it, the value as Python sees it. Those under "refused" must be refused by name.
zip-no-checksums needs a later PyTorch (2.13 made it): python3 make_golden.py no-checksums.
"""

import argparse
import collections
import json
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import torch

torch.manual_seed(0)
HERE = os.path.dirname(os.path.abspath(__file__))


def tensor_bytes(t):
    t = t.detach().contiguous()
    if t.dtype == torch.bfloat16:
        t = t.view(torch.int16)
    return t.numpy().tobytes()


def describe(v):
    """The value as JSON; the test says the same of what it reads."""
    if isinstance(v, torch.Tensor):
        return {"tensor": [str(v.dtype)[6:], list(v.shape), tensor_bytes(v).hex()]}
    if isinstance(v, (np.generic,)):
        return describe(v.item())
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return v if abs(v) < 2**53 else {"big": str(v)}
    if isinstance(v, float):
        return v if np.isfinite(v) else {"float": repr(v)}
    if isinstance(v, (bytes, bytearray)):
        return {"bytes": bytes(v).hex()}
    if isinstance(v, (torch.device, torch.dtype)):
        return str(v)
    if isinstance(v, dict):
        return {"dict": [[describe(k), describe(x)] for k, x in v.items()]}
    if isinstance(v, (set, frozenset)):
        return {"set": [describe(x) for x in sorted(v)]}
    if isinstance(v, (list, tuple)):
        return {"list": [describe(x) for x in v]}
    raise TypeError(type(v))


def path(name):
    return os.path.join(HERE, name)


def save(name, value, **kwargs):
    torch.save(value, path(name + ".pth"), **kwargs)
    # Described after a load, since saving loses what the format cannot hold.
    with open(path(name + ".json"), "w") as f:
        json.dump(describe(torch.load(path(name + ".pth"))), f)


def save_both(name, value):
    save("zip-" + name, value)
    save("legacy-" + name, value, _use_new_zipfile_serialization=False)


def all_dtypes():
    numbers = torch.tensor([[0, 1, 2], [3, 100, 5]])
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"]
    tensors = {k: (numbers * 1.37 if "float" in k else numbers).to(getattr(torch, k)) for k in kinds}
    tensors["bool"] = numbers > 2
    tensors["scalar"] = torch.tensor(-2.5)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["special"] = torch.tensor([float("nan"), float("inf"), -0.0])
    return tensors


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {
        "base": base,
        "transposed": base.t(),
        "rows": base[1:3],
        "columns": base[:, 2:5],
        "every_second": base[::2, ::3],
        "expanded": torch.tensor([7.0]).expand(2, 3),
        "channels_last": torch.arange(48.0).reshape(2, 3, 2, 4).contiguous(memory_format=torch.channels_last),
        "permuted": torch.arange(60, dtype=torch.int16).reshape(3, 4, 5).permute(2, 0, 1),
        "one_row": base[2:3, ::2],
        "parameter": torch.nn.Parameter(base[0]),
        "scalar_view": base[3, 4],
        "same_again": base,
    }


def mmsegmentation():
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2))
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    model(torch.randn(1, 3, 4, 4)).sum().backward()
    sgd.step()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-3)
    adam.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(sgd, milestones=[3, 7])
    return {
        "meta": {
            "CLASSES": ("road", "sidewalk"),
            "PALETTE": [[128, 64, 128], [244, 35, 232]],
            "epoch": 1,
            "iter": 80000,
            "config": "model = dict(type='EncoderDecoder')\n",
            "hook_msgs": {"best_score": np.float64(0.7712), "last_ckpt": None},
            "best": np.float32(0.5),
            "count": np.int64(7),
        },
        "state_dict": model.state_dict(),
        "optimizer": {"sgd": sgd.state_dict(), "adam": adam.state_dict()},
        "schedule": schedule.state_dict(),
    }


def plain_values():
    shared = [1, 2]
    return {
        "ints": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**53 - 1, 2**53, -(2**63), 2**70, -(2**70)],
        "floats": [0.5, -1e300, float("inf"), float("nan")],
        "nothing": None,
        "yes": True,
        "no": False,
        "text": "é 漢字 😀 \ufeff",
        "long_text": "x" * 300,
        "bytes": b"\x00\xff\n",
        "empty_bytes": b"",
        "bytearray": bytearray(b"ab"),
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "set": {1, 2, 3},
        "frozenset": frozenset(["a", "b"]),
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {"k": [1]}),
        "counter": collections.Counter("abca"),
        "size": torch.Size([2, 3]),
        "device": torch.device("cuda", 1),
        "dtype": torch.bfloat16,
        "__proto__": {"polluted": True},
        7: "integer key",
        (1, 2): "tuple key",
        "shared": [shared, shared],
        "long_list": list(range(1500)),
    }


class Evil:
    def __reduce__(self):
        return (os.system, ("touch pth-was-executed",))


def refused(name, value, **kwargs):
    torch.save(value, path("refused-" + name + ".pth"), **kwargs)


def make_refused():
    refused("os-system", {"state_dict": Evil()})
    refused("os-system-legacy", [Evil()], _use_new_zipfile_serialization=False)
    refused("sparse", {"w": torch.eye(3).to_sparse()})
    refused("quantized", {"w": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)})
    refused("complex", {"w": torch.ones(2, dtype=torch.complex64)})
    refused("namespace", {"args": argparse.Namespace(lr=0.1, name="r50"), "model": {"w": torch.ones(2)}})
    refused("module", torch.nn.Linear(2, 2))
    cycle = {"w": torch.ones(2)}
    cycle["self"] = [cycle]
    refused("cycle", cycle)
    deep = []
    for _ in range(250):
        deep = [deep]
    refused("deep", deep)
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), path("refused-torchscript.pth"))
    with open(path("refused-plain-pickle.pth"), "wb") as f:
        pickle.dump({"w": 1}, f, protocol=2)


def make_deflated():
    with zipfile.ZipFile(path("zip-views.pth")) as source, zipfile.ZipFile(
        path("zip-deflated.pth"), "w", zipfile.ZIP_DEFLATED
    ) as target:
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
    with open(path("zip-deflated.json"), "w") as f:
        json.dump(describe(torch.load(path("zip-views.pth"))), f)


def make_without_checksums():
    """torch.save() then writes a CRC-32 of 0 for every entry, in the directory and behind the data."""
    torch.serialization.set_crc32_options(False)
    save("zip-no-checksums", {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.5, -2.0])})


CODES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
    "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def write_safetensors(name, tensors, metadata):
    """An independent writer, after the format's description; stable order, wider elements first."""
    header, blobs, end = {"__metadata__": metadata}, [], 0
    for key, t in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        blob = tensor_bytes(t)
        header[key] = {
            "dtype": CODES[str(t.dtype)[6:]],
            "shape": list(t.shape),
            "data_offsets": [end, end + len(blob)],
        }
        end += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path(name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    with open(path(name + ".json"), "w") as f:
        json.dump({"tensors": describe(tensors), "metadata": metadata}, f)


def main():
    save_both("dtypes", all_dtypes())
    save_both("views", views())
    save_both("mmsegmentation", mmsegmentation())
    save_both("values", plain_values())
    for protocol in (3, 4):
        save(f"zip-values-protocol-{protocol}", plain_values(), pickle_protocol=protocol)
        legacy = {"pickle_protocol": protocol, "_use_new_zipfile_serialization": False}
        save(f"legacy-views-protocol-{protocol}", views(), **legacy)
    make_deflated()
    make_refused()
    write_safetensors("tensors", {**all_dtypes(), "10": torch.ones(1), "naïve \"ключ\"": torch.zeros(2)}, {"format": "pt"})


if __name__ == "__main__":
    make_without_checksums() if sys.argv[1:] == ["no-checksums"] else main()
