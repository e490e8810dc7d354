"""The peer of `armseg bench step`: PyTorch's training step of DeepLabv3+ with the auxiliary head, eager or compiled. Prints JSON.

    python3 step_peer.py '{"contestants": ["contiguous", "channels_last"], "backbone": "resnet18", "size": [2, 256, 512], "classes": 19,
        "runs": 5, "warmUp": 1, "threads": 2, "device": "cpu", "precision": "float32"}'
"""

import contextlib
import json
import sys

import torch
import torch.nn.functional as F

import peer
from deeplab import Network

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
