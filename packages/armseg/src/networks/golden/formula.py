"""Weights and images from a formula of name and index, the same numbers as ../testing/formula.ts: nothing to exchange."""
import math

import numpy as np
import torch


def name_hash(name):
    """FNV-1a, 32 bits."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def noise(name, count):
    """`count` numbers of [-1, 1), float64."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(name_hash(name))
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def is_last_of_block(name):
    """Small residual branches keep deep networks well-conditioned, so that float32 can be compared with float64."""
    return name.endswith(".bn3.weight") or (".branches." in name and name.endswith(".bn2.weight"))


def values(name, shape):
    """The tensor of a name: float32 numbers, as float64."""
    u = noise(name, math.prod(shape))
    if len(shape) == 4 and name.endswith(".weight"):
        u = u * math.sqrt(6 / math.prod(shape[1:]))
    elif name.endswith(".weight"):
        u = (1 + 0.2 * u) * (0.2 if is_last_of_block(name) else 1)
    elif name.endswith(".running_var"):
        u = 1 + 0.5 * u
    elif name != "images" and not name.startswith("probe"):
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).astype(np.float64).reshape(shape))
