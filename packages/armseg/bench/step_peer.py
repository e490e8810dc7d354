"""The peer of `armseg bench step`: PyTorch's training step of DeepLabv3+ with the auxiliary head, eager or compiled. Prints JSON.

    python3 step_peer.py '{"contestants": ["contiguous", "channels_last"], "backbone": "resnet18", "size": [2, 256, 512], "classes": 19,
        "runs": 5, "warmUp": 1, "threads": 2, "device": "cpu", "precision": "float32"}'
"""

import contextlib
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

import peer

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


def conv_norm(cin, cout, k=1, stride=1, dilation=1, groups=1):
    conv = nn.Conv2d(cin, cout, k, stride, dilation * (k // 2), dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


def separable(cin, cout, dilation=1):
    return nn.Sequential(conv_norm(cin, cin, 3, dilation=dilation, groups=cin), conv_norm(cin, cout))


class Block(nn.Module):
    def __init__(self, cin, width, stride, dilation, is_bottleneck):
        super().__init__()
        cout = width * (4 if is_bottleneck else 1)
        if is_bottleneck:
            parts = [conv_norm(cin, width), conv_norm(width, width, 3, stride, dilation), conv_norm(width, cout)]
        else:
            parts = [conv_norm(cin, width, 3, stride, dilation), conv_norm(width, cout, 3)]
        parts[-1] = parts[-1][:2]
        self.body = nn.Sequential(*parts)
        self.shortcut = conv_norm(cin, cout, 1, stride)[:2] if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


class Network(nn.Module):
    """Output stride 8, deep stem, ASPP 1-12-24-36, 512 channels: mmsegmentation's recipe."""

    def __init__(self, backbone, classes):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 32, 3, 2), conv_norm(32, 32, 3), conv_norm(32, 64, 3), nn.MaxPool2d(3, 2, 1))
        is_bottleneck, cin, stages = backbone != "resnet18", 64, []
        for s, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4))):
            width, blocks = 64 * 2**s, []
            for b in range(BLOCKS[backbone][s]):
                own = dilation // 2 if b == 0 and dilation > 1 else dilation
                blocks.append(Block(cin, width, stride if b == 0 else 1, own, is_bottleneck))
                cin = width * (4 if is_bottleneck else 1)
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.pool = conv_norm(cin, 512)
        self.aspp = nn.ModuleList([conv_norm(cin, 512)] + [separable(cin, 512, d) for d in (12, 24, 36)])
        self.project = conv_norm(5 * 512, 512, 3)
        self.low = conv_norm(cin // 8, 48)
        self.decoder = nn.Sequential(separable(560, 512), separable(512, 512), nn.Dropout2d(0.1), nn.Conv2d(512, classes, 1))
        self.auxiliary = nn.Sequential(conv_norm(cin // 2, 256, 3), nn.Dropout2d(0.1), nn.Conv2d(256, classes, 1))

    def forward(self, x):
        features = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        resize = lambda y, like: F.interpolate(y, like.shape[2:], mode="bilinear", align_corners=False)
        pooled = resize(self.pool(F.adaptive_avg_pool2d(x, 1)), x)
        x = self.project(torch.cat([pooled] + [branch(x) for branch in self.aspp], 1))
        x = self.decoder(torch.cat([resize(x, features[0]), self.low(features[0])], 1))
        return x, self.auxiliary(features[2])


MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last, "compiled": torch.channels_last}


def contest(job, contestant, device):
    memory_format = MEMORY_FORMATS[contestant]
    n, height, width = job["size"]
    torch.manual_seed(0)
    network = Network(job["backbone"], job["classes"]).to(device, memory_format=memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    images = torch.randn(n, 3, height, width, device=device).contiguous(memory_format=memory_format)
    labels = torch.randint(0, job["classes"], (n, 1, height // 32, width // 32)).float()
    labels = F.interpolate(labels, (height, width))[:, 0].long().to(device)
    dtype = getattr(torch, job["precision"])
    scaler = torch.cuda.amp.GradScaler(enabled=dtype == torch.float16)
    # Without a reduced precision, a context that does nothing: autocast refuses float32.
    autocast = contextlib.nullcontext if dtype == torch.float32 else lambda: torch.autocast(device.type, dtype)
    loss = lambda logits: F.cross_entropy(F.interpolate(logits, (height, width), mode="bilinear", align_corners=False), labels)

    def objective():
        main, auxiliary = network(images)
        return loss(main) + 0.4 * loss(auxiliary)

    if contestant == "compiled":
        objective = torch.compile(objective)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            total = objective()
        scaler.scale(total).backward()
        scaler.step(optimizer)
        scaler.update()

    for _ in range(job["warmUp"]):
        step()  # the first builds the optimiser's state
    peer.reset_peak(device)
    ms = peer.median_ms(step, device, job["runs"], warm_up=0)
    parameters = sum(p.numel() for p in network.parameters())
    return {"ms": ms, "bytes": peer.peak_bytes(device), "parameters": parameters}


def main():
    job = json.loads(sys.argv[1])
    device = peer.device_of(job)
    figures = {}
    for name in job["contestants"]:
        figures[name] = contest(job, name, device)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    print(json.dumps({"torch": torch.__version__, **figures}))


if __name__ == "__main__":
    main()
