"""Golden values for the pipeline: each step again, independently, in numpy, whole images first and crops afterwards.

    python3 generate.py          # writes golden.json beside this file

Needs numpy. Where cv2 is installed too (any 4.x or 5.x), every numpy step is first asserted equal to OpenCV, byte for byte.
"""
import base64
import json
import os
import zlib

import numpy as np

try:
    import cv2
except ImportError:
    cv2 = None

F32, F64 = np.float32, np.float64
rng = np.random.default_rng(20090520)


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


# --- Philox, with Python's unbounded integers -------------------------------------------------------------------------------------------
def philox(counter, key):
    c, k, mask = list(counter), list(key), 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & mask, (p0 >> 32) ^ c[3] ^ k[1], p0 & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


# Known answers of the authors' library (Random123, tests/kat_vectors, philox 4x32-10).
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0], [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]
for counter, key, words in KNOWN:
    assert philox(counter, key) == words
more = [[int(x) for x in rng.integers(0, 2**32, 6)] for _ in range(20)]
random = {
    "philox": [{"counter": c, "key": k, "words": w} for c, k, w in KNOWN]
    + [{"counter": m[:4], "key": m[4:], "words": philox(m[:4], m[4:])} for m in more],
    "stream": {
        "key": {"seed": 2**40 + 7, "iteration": 123, "index": 4, "stream": 3},
        "words": sum((philox([block, 3, 4, 123], [7, 2**8]) for block in range(3)), []),
    },
}


# --- Sizes (mmcv rescale_size after RandomResize's truncation) ---------------------------------------------------------------------------
def rescale(w, h, base, ratio):
    scale = (int(base[0] * ratio), int(base[1] * ratio))
    factor = min(max(scale) / max(h, w), min(scale) / min(h, w))
    return int(w * float(factor) + 0.5), int(h * float(factor) + 0.5)


sizes = []
for w, h in [(2048, 1024), (480, 360), (683, 512), (512, 683), (500, 375), (333, 500)]:
    for base in [(2048, 1024), (2048, 512), (480, 360)]:
        for ratio in [0.5, 0.7390625, 1.0, 1.2345678901234567, 1.9999, 2.0]:
            nw, nh = rescale(w, h, base, ratio)
            sizes.append({"image": [h, w], "base": [base[1], base[0]], "ratio": ratio, "size": [nh, nw]})


# --- Resizing ----------------------------------------------------------------------------------------------------------------------------
def linear(src, dh, dw):
    """cv2.resize(..., INTER_LINEAR) for 8 bits: 11-bit weights, the first pass dropping 4 bits, the second 16 and 2."""
    sh, sw = src.shape[:2]
    wide = src.astype(np.int64)
    if (sh, sw) == (2 * dh, 2 * dw):
        return ((wide[0::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 0::2] + wide[1::2, 1::2] + 2) >> 2).astype(np.uint8)

    def taps(d, s, clamp):
        f = ((np.arange(d) + 0.5) * (1.0 / (d / s)) - 0.5).astype(F32)
        i = np.floor(f).astype(np.int64)
        f = f - i.astype(F32)
        if clamp:
            low, high = i < 0, i >= s - 1
            f[low | high] = 0
            i[low], i[high] = 0, s - 1
        weights = [np.rint(x * F32(2048)).astype(np.int64) for x in (F32(1) - f, f)]
        return np.clip(i, 0, s - 1), np.clip(i + 1, 0, s - 1), weights[0], weights[1]

    x0, x1, a0, a1 = taps(dw, sw, True)
    y0, y1, b0, b1 = taps(dh, sh, False)
    rows = (wide[:, x0] * a0[None, :, None] + wide[:, x1] * a1[None, :, None]) >> 4
    upper, lower = rows[y0] * b0[:, None, None], rows[y1] * b1[:, None, None]
    out = (((upper >> 16) + (lower >> 16) + 2) >> 2).astype(np.uint8)
    return src.copy() if (sh, sw) == (dh, dw) else out


def nearest(src, dh, dw):
    def at(d, s):
        return np.minimum(np.floor(np.arange(d) * (1.0 / (d / s))).astype(int), s - 1)

    return src[at(dh, src.shape[0])][:, at(dw, src.shape[1])]


def check_resize(src, dh, dw):
    if cv2 is None:
        return
    assert np.array_equal(linear(src, dh, dw), cv2.resize(src, (dw, dh), interpolation=cv2.INTER_LINEAR)), (src.shape, dh, dw)
    assert np.array_equal(nearest(src, dh, dw), cv2.resize(src, (dw, dh), interpolation=cv2.INTER_NEAREST)), (src.shape, dh, dw)


for _ in range(300):
    sh, sw, dh, dw = (int(x) for x in rng.integers(1, 90, 4))
    check_resize(rng.integers(0, 256, (sh, sw, 3), dtype=np.uint8), dh, dw)
    check_resize(rng.integers(0, 256, (2 * dh, 2 * dw, 3), dtype=np.uint8), dh, dw)

resizes = []
CASES = [(18, 27, 31, 47), (18, 27, 9, 13), (20, 30, 10, 15), (16, 16, 16, 16), (7, 5, 13, 11), (1, 9, 4, 5), (9, 1, 5, 4), (24, 36, 37, 55)]
for sh, sw, dh, dw in CASES:
    image = rng.integers(0, 256, (sh, sw, 3), dtype=np.uint8)
    label = rng.integers(0, 19, (sh, sw), dtype=np.uint8)
    top, left = int(rng.integers(0, dh)), int(rng.integers(0, dw))
    h, w = int(rng.integers(1, dh - top + 1)), int(rng.integers(1, dw - left + 1))
    resizes.append(
        {
            "source": [sh, sw],
            "size": [dh, dw],
            "window": {"top": top, "left": left, "height": h, "width": w},
            "image": text(image),
            "label": text(label),
            "wholeImage": text(linear(image, dh, dw)),
            "imageWindow": text(linear(image, dh, dw)[top : top + h, left : left + w]),
            "flippedWindow": text(linear(image, dh, dw)[top : top + h, left : left + w][:, ::-1]),
            "labelWindow": text(nearest(label, dh, dw)[top : top + h, left : left + w]),
            "counts": np.bincount(nearest(label, dh, dw)[top : top + h, left : left + w].ravel(), minlength=256).tolist(),
        }
    )


# --- HSV and colours ---------------------------------------------------------------------------------------------------------------------
def to_hsv(rgb):
    r, g, b = (rgb[..., c].astype(np.int64) for c in range(3))
    v = np.maximum(np.maximum(r, g), b)
    d = v - np.minimum(np.minimum(r, g), b)
    i = np.arange(1, 256)
    by_value = np.concatenate([[0], np.rint((255 << 12) / i).astype(np.int64)])
    by_difference = np.concatenate([[0], np.rint((180 << 12) / (6.0 * i)).astype(np.int64)])
    s = (d * by_value[v] + 2048) >> 12
    h = np.where(v == r, g - b, np.where(v == g, b - r + 2 * d, r - g + 4 * d))
    h = (h * by_difference[d] + 2048) >> 12
    return np.stack([np.where(h < 0, h + 180, h), s, v], -1).astype(np.uint8)


def to_rgb(hsv):
    h = hsv[..., 0].astype(F32) * (F32(6.0) / F32(180))
    s, v = (hsv[..., c].astype(F32) * (F32(1) / F32(255)) for c in (1, 2))
    sector = np.trunc(h).astype(int)
    f = h - sector.astype(F32)
    table = np.stack(
        [
            v,
            v * (F32(1) - s),
            v * (1 - s.astype(F64) * f.astype(F64)).astype(F32),  # one rounding: a fused multiply-add
            v * (1 - s.astype(F64) * (F32(1) - f).astype(F64)).astype(F32),
        ],
        -1,
    )
    order = np.array([[0, 3, 1], [2, 0, 1], [1, 0, 3], [1, 2, 0], [3, 1, 0], [0, 1, 2]])[sector % 6]
    return np.trunc(np.take_along_axis(table, order, -1) * F32(255)).astype(np.uint8)


if cv2 is not None:
    grid = np.arange(256, dtype=np.uint8)
    for first in range(256):
        plane = np.stack(np.broadcast_arrays(np.uint8(first), grid[:, None], grid[None, :]), -1)
        assert np.array_equal(to_hsv(plane), cv2.cvtColor(plane, cv2.COLOR_RGB2HSV)), first
        if first < 180:
            assert np.array_equal(to_rgb(plane), cv2.cvtColor(plane, cv2.COLOR_HSV2RGB)), first


def convert(img, alpha=1, beta=0):
    return np.clip(img.astype(F32) * F32(alpha) + F32(beta), 0, 255).astype(np.uint8)


def saturate(img, alpha):
    hsv = to_hsv(img)
    hsv[..., 1] = convert(hsv[..., 1], alpha)
    return to_rgb(hsv)


def turn(img, delta):
    hsv = to_hsv(img)
    hsv[..., 0] = (hsv[..., 0].astype(int) + delta) % 180
    return to_rgb(hsv)


def distort(img, p):
    if "brightness" in p:
        img = convert(img, beta=p["brightness"])
    if "contrast" in p and p["contrastFirst"]:
        img = convert(img, alpha=p["contrast"])
    if "saturation" in p:
        img = saturate(img, p["saturation"])
    if "hue" in p:
        img = turn(img, p["hue"])
    if "contrast" in p and not p["contrastFirst"]:
        img = convert(img, alpha=p["contrast"])
    return img


DISTORTIONS = [
    {"contrastFirst": True},
    {"brightness": 17.3, "contrastFirst": True},
    {"brightness": -31.9, "contrastFirst": False, "contrast": 1.4999},
    {"contrastFirst": True, "contrast": 0.5123, "saturation": 1.37},
    {"contrastFirst": False, "saturation": 0.55, "hue": -18},
    {"contrastFirst": False, "hue": 17},
    {"brightness": 8.125, "contrast": 1.21, "contrastFirst": False, "saturation": 1.49, "hue": -7},
]
noise = np.concatenate([rng.integers(0, 256, (32, 64, 3)), rng.integers(90, 140, (32, 64, 3))]).astype(np.uint8)
colors = {
    "image": text(noise),
    "cases": [{"distortion": p, "crc32": zlib.crc32(distort(noise, p).tobytes())} for p in DISTORTIONS],
    # Every one of the 2^24 colours, blue fastest, through one saturation or hue step; 256 colours of red a time to bound memory.
    "exhaustive": [],
}
for p in [{"contrastFirst": True, "saturation": 1.0}, {"contrastFirst": True, "saturation": 0.61}, {"contrastFirst": True, "hue": 13}]:
    crc = 0
    grid = np.arange(256, dtype=np.uint8)
    for red in range(256):
        plane = np.stack(np.broadcast_arrays(np.uint8(red), grid[:, None], grid[None, :]), -1)
        crc = zlib.crc32(distort(plane, p).tobytes(), crc)
    colors["exhaustive"].append({"distortion": p, "crc32": crc})

# --- Normalisation, and the whole pipeline with given draws ------------------------------------------------------------------------------
MEAN, STD = np.array([123.675, 116.28, 103.53], F32), np.array([58.395, 57.12, 57.375], F32)


def normalise(img):
    return (img.astype(F32) - MEAN) / STD


levels = normalise(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1))
image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
label = rng.integers(0, 11, (40, 60), dtype=np.uint8)
weights = rng.random((40, 60), dtype=F32)
wholes = []
for (dh, dw), (top, left, h, w), flip, frame, p in [
    ((55, 83), (7, 20, 32, 48), True, (32, 48), DISTORTIONS[6]),
    ((20, 30), (0, 0, 20, 30), True, (32, 48), DISTORTIONS[4]),
    ((31, 47), (0, 0, 31, 47), False, (32, 48), DISTORTIONS[3]),
]:
    crop = linear(image, dh, dw)[top : top + h, left : left + w]
    crop_label, crop_weights = (nearest(a, dh, dw)[top : top + h, left : left + w] for a in (label, weights))
    if flip:
        crop, crop_label, crop_weights = crop[:, ::-1], crop_label[:, ::-1], crop_weights[:, ::-1]
    out = np.zeros((*frame, 3), F32)
    out[:h, :w] = normalise(distort(crop, p))
    out_label = np.full(frame, 255, np.uint8)
    out_label[:h, :w] = crop_label
    out_weights = np.zeros(frame, F32)
    out_weights[:h, :w] = crop_weights
    wholes.append(
        {
            "augmentation": {
                "resized": [dh, dw],
                "window": {"top": top, "left": left, "height": h, "width": w},
                "flip": flip,
                "photometric": p,
            },
            "frame": list(frame),
            "image": zlib.crc32(np.ascontiguousarray(out.transpose(2, 0, 1)).tobytes()),
            "label": zlib.crc32(out_label.tobytes()),
            "weights": zlib.crc32(out_weights.tobytes()),
        }
    )

golden = {
    "random": random,
    "sizes": sizes,
    "resizes": resizes,
    "colors": colors,
    "levels": text(levels),
    "whole": {"image": text(image), "label": text(label), "weights": text(weights), "size": [40, 60], "cases": wholes},
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
print("checked against OpenCV " + cv2.__version__ if cv2 else "OpenCV is not installed: numpy alone")
