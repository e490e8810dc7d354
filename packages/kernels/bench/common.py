"""What both benchmarks share: device and timing."""

import os
import pathlib
import statistics
import sys
import time

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "test" / "python"))
LIBRARY = os.environ.get("ARMSEG_KERNELS_LIBRARY") or str(HERE.parent / "native" / "build" / "libarmseg_kernels.so")


def load_library(path=LIBRARY):
    torch.ops.load_library(path)
    return torch.ops.armseg


def device_of(options):
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # each shape comes many times
    return torch.device(options.device)


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_ms(function, budget_seconds, device, most=50):
    """Median of runs after one to warm up (three on a GPU), within the budget but at least 3."""
    for _ in range(3 if device.type == "cuda" else 1):
        function()
    synchronize(device)
    times, start = [], time.perf_counter()
    while len(times) < 3 or (len(times) < most and time.perf_counter() - start < budget_seconds):
        begin = time.perf_counter()
        function()
        synchronize(device)
        times.append((time.perf_counter() - begin) * 1e3)
    return {"median_ms": round(statistics.median(times), 3), "min_ms": round(min(times), 3), "runs": len(times)}


def label_map(n, height, width, classes, ignored=0.1):
    """Regions of 32 x 32 pixels of one class, a tenth of them ignored: more mixed than real annotations."""
    torch.manual_seed(0)
    coarse = torch.randint(0, classes, (n, 1, height // 32, width // 32))
    coarse[torch.rand(coarse.shape) < ignored] = 255
    return torch.nn.functional.interpolate(coarse.float(), size=(height, width))[:, 0].long()


def machine(ops, threads, device):
    if device.type == "cuda":
        return {"torch": torch.__version__, "device": torch.cuda.get_device_name(device)}
    return {"torch": torch.__version__, "device": "cpu", "threads": threads, "instruction_set": ops.cpu_capability()}
