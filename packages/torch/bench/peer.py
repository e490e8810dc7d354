"""The same as engine.ts in Python's PyTorch. Prints one line of JSON."""
import json
import os
import statistics
import sys
import time

import torch
from torch import nn

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
calls, runs = int(sys.argv[1]), int(sys.argv[2])


def median_ms(run, count):
    for _ in range(2):
        run()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


one = torch.ones(1)


def adds():
    for _ in range(calls):
        torch.add(one, one)


class Block(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(256, 256, 3, padding=1, bias=False), nn.BatchNorm2d(256), nn.ReLU(inplace=True))


def training_step(memory_format):
    net = nn.Sequential(*[Block() for _ in range(16)]).to(memory_format=memory_format)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    x = torch.randn(2, 256, 32, 64).to(memory_format=memory_format)

    def step():
        optimizer.zero_grad(set_to_none=True)
        net(x).mean().backward()
        optimizer.step()

    return step


print(json.dumps({
    "version": torch.__version__,
    "addMicroseconds": median_ms(adds, runs) * 1e3 / calls,
    "stepMs": median_ms(training_step(torch.contiguous_format), runs),
    "stepChannelsLastMs": median_ms(training_step(torch.channels_last), runs),
}))
