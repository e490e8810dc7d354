"""Peak memory of one call beyond what was resident before it, in bytes, measured in a process of its own."""

import multiprocessing


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


def peak_memory(prepare, run):
    """`run(prepare())`; what `run` returns (results, gradients) is counted, so subtract what the caller must have."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measure, args=(prepare, run, queue))
    process.start()
    peak = queue.get()
    process.join()
    return peak
