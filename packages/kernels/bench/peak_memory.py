"""Peak memory of one call beyond what was there before it, in bytes: resident memory, measured in a process of its own, or what
PyTorch allocates on a GPU."""

import multiprocessing

import torch


def _status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _measure(prepare, run, queue):
    inputs = prepare()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the high-water mark
    before = _status("VmRSS")
    kept = run(inputs)
    queue.put(_status("VmHWM") - before)
    del kept


def _allocated(prepare, run):
    inputs = prepare()
    run(inputs)  # what it keeps from the first call on is not this call's
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run(inputs)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def peak_memory(prepare, run, device):
    """`run(prepare())`; what `run` returns (results, gradients) is counted, so subtract what the caller must have."""
    if device.type == "cuda":
        return _allocated(prepare, run)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measure, args=(prepare, run, queue))
    process.start()
    peak = queue.get()
    process.join()
    return peak
