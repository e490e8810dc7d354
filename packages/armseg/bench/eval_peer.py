"""The peer of `armseg bench eval`: PyTorch's upsample + argmax + bincount for one image. Prints JSON.

    python3 eval_peer.py '{"size": [19, 1024, 2048], "runs": 15, "threads": 2}'
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F


def status_bytes(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def peak_bytes(run):
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # resets the high-water mark
        before = status_bytes("VmRSS")
        run()
        return status_bytes("VmHWM") - before
    except OSError:
        return None


def problem(classes, height, width):
    logits = torch.randn(1, classes, height // 4, width // 4) * 2
    regions = torch.randint(0, classes, (1, 1, height // 32, width // 32))
    regions[torch.rand(regions.shape) < 0.1] = 255
    labels = F.interpolate(regions.float(), size=(height, width))[:, 0].to(torch.uint8)

    def run():
        prediction = F.interpolate(logits, size=(height, width), mode="bilinear", align_corners=False).argmax(1)
        valid = labels != 255
        return torch.bincount(labels[valid].long() * classes + prediction[valid], minlength=classes * classes)

    return run


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    with torch.no_grad():
        problem(job["size"][0], 64, 64)()
        run = problem(*job["size"])
        peak = peak_bytes(run)
        times = []
        for _ in range(2 + job["runs"]):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"ms": statistics.median(times[2:]), "bytes": peak}))


if __name__ == "__main__":
    main()
