"""The peer of `armseg bench eval`: PyTorch's upsample + argmax + bincount for one image. Prints JSON.

    python3 eval_peer.py '{"size": [19, 1024, 2048], "runs": 15, "threads": 2, "device": "cpu"}'
"""

import json
import sys

import torch
import torch.nn.functional as F

import peer


def problem(classes, height, width, device):
    logits = torch.randn(1, classes, height // 4, width // 4, device=device) * 2
    regions = torch.randint(0, classes, (1, 1, height // 32, width // 32))
    regions[torch.rand(regions.shape) < 0.1] = 255
    labels = F.interpolate(regions.float(), size=(height, width))[:, 0].to(device, torch.uint8)

    def run():
        prediction = F.interpolate(logits, size=(height, width), mode="bilinear", align_corners=False).argmax(1)
        valid = labels != 255
        return torch.bincount(labels[valid].long() * classes + prediction[valid], minlength=classes * classes)

    return run


def main():
    job = json.loads(sys.argv[1])
    device = peer.device_of(job)
    torch.manual_seed(0)
    with torch.no_grad():
        problem(job["size"][0], 64, 64, device)()
        run = problem(*job["size"], device)
        before = peer.reset_peak(device)
        run()
        peak = None if before is None else peer.peak_bytes(device) - before
        print(json.dumps({"ms": peer.median_ms(run, device, job["runs"], warm_up=2), "bytes": peak}))


if __name__ == "__main__":
    main()
