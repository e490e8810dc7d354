"""Device, time and memory for the peers of `armseg bench step` and `armseg bench eval`."""

import statistics
import time

import torch


def device_of(job):
    """The job's device, set up as ours is."""
    torch.set_num_threads(job["threads"])
    torch.backends.cudnn.benchmark = True
    return torch.device(job["device"])


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_ms(run, device, runs, warm_up):
    """Median time of a run, until the device has done what was queued on it."""
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(runs):
        synchronize(device)
        start = time.perf_counter()
        run()
        synchronize(device)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def _status_bytes(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def reset_peak(device):
    """Returns the bytes in use; `None` where the system does not tell."""
    if device.type == "cuda":
        synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # resets the high-water mark
        return _status_bytes("VmRSS")
    except OSError:
        return None


def peak_bytes(device):
    """Most bytes in use since the last reset: resident ones, or what PyTorch allocated on a GPU."""
    if device.type == "cuda":
        synchronize(device)
        return torch.cuda.max_memory_allocated(device)
    try:
        return _status_bytes("VmHWM")
    except OSError:
        return None
