"""The Cityscapes training pipeline of mmsegmentation on OpenCV, or on Pillow and numpy: the peer that `armseg bench loader` is measured against.

    python3 loader_peer.py '{"pairs": [["image.png", "labelIds.png"]], "images": 40, "seed": 0, "labels": [255, ...]}'

`labels` maps label ids to class indices. One process, one thread. Prints one line of JSON for each library that is installed, none without
numpy:
{"library": "cv2 4.6.0", "images": 40, "cpuSeconds": ..., "wallSeconds": ...}. The steps are written out from the public description of
the recipe (order, ranges, rounding); nothing is resized, cropped or converted in another order than there.
"""
import json
import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit(0)

BASE, CROP, MAX_RATIO = (2048, 1024), (512, 1024), 0.75
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


class WithOpenCV:
    def __init__(self):
        import cv2

        cv2.setNumThreads(0)
        self.cv2, self.name = cv2, "cv2 " + cv2.__version__

    def image(self, path):
        return self.cv2.imread(path, self.cv2.IMREAD_COLOR)[..., ::-1]

    def label(self, path):
        return self.cv2.imread(path, self.cv2.IMREAD_UNCHANGED)

    def resize(self, array, size, smooth):
        return self.cv2.resize(array, size, interpolation=self.cv2.INTER_LINEAR if smooth else self.cv2.INTER_NEAREST)

    def to_hsv(self, rgb):
        return self.cv2.cvtColor(np.ascontiguousarray(rgb), self.cv2.COLOR_RGB2HSV)

    def to_rgb(self, hsv):
        return self.cv2.cvtColor(hsv, self.cv2.COLOR_HSV2RGB)

    hues = 180


class WithPillow:
    def __init__(self):
        import PIL
        from PIL import Image

        self.Image, self.name = Image, "Pillow " + PIL.__version__

    def image(self, path):
        return np.asarray(self.Image.open(path).convert("RGB"))

    def label(self, path):
        return np.asarray(self.Image.open(path))

    def resize(self, array, size, smooth):
        how = self.Image.BILINEAR if smooth else self.Image.NEAREST
        return np.asarray(self.Image.fromarray(array).resize(size, how))

    def to_hsv(self, rgb):
        return np.array(self.Image.fromarray(np.ascontiguousarray(rgb)).convert("HSV"))

    def to_rgb(self, hsv):
        return np.asarray(self.Image.fromarray(hsv, "HSV").convert("RGB"))

    hues = 256


def convert(image, alpha=1, beta=0):
    return np.clip(image.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def distort(lib, image, rng):
    if rng.integers(2):
        image = convert(image, beta=float(rng.uniform(-32, 32)))
    first = rng.integers(2)
    if first and rng.integers(2):
        image = convert(image, alpha=float(rng.uniform(0.5, 1.5)))
    if rng.integers(2):
        hsv = lib.to_hsv(image)
        hsv[..., 1] = convert(hsv[..., 1], alpha=float(rng.uniform(0.5, 1.5)))
        image = lib.to_rgb(hsv)
    if rng.integers(2):
        hsv = lib.to_hsv(image)
        hsv[..., 0] = (hsv[..., 0].astype(int) + rng.integers(-18, 18) * lib.hues // 180) % lib.hues
        image = lib.to_rgb(hsv)
    if not first and rng.integers(2):
        image = convert(image, alpha=float(rng.uniform(0.5, 1.5)))
    return image


def draw_crop(label, rng):
    top = rng.integers(max(label.shape[0] - CROP[0], 0) + 1)
    left = rng.integers(max(label.shape[1] - CROP[1], 0) + 1)
    return slice(top, top + CROP[0]), slice(left, left + CROP[1])


def choose_crop(label, rng):
    window = draw_crop(label, rng)
    for _ in range(10):
        classes, counts = np.unique(label[window], return_counts=True)
        counts = counts[classes != 255]
        if len(counts) > 1 and counts.max() / counts.sum() < MAX_RATIO:
            break
        window = draw_crop(label, rng)
    return window


def sample(lib, pair, table, rng):
    image, label = lib.image(pair[0]), table[lib.label(pair[1])]
    ratio = rng.uniform(0.5, 2)
    scale = int(BASE[0] * ratio), int(BASE[1] * ratio)
    height, width = label.shape
    factor = min(max(scale) / max(height, width), min(scale) / min(height, width))
    size = int(width * factor + 0.5), int(height * factor + 0.5)
    image, label = lib.resize(image, size, True), lib.resize(label, size, False)
    window = choose_crop(label, rng)
    image, label = image[window], label[window]
    if rng.random() < 0.5:
        image, label = image[:, ::-1], label[:, ::-1]
    image = distort(lib, image, rng)
    out, out_label = np.zeros((3, *CROP), np.float32), np.full(CROP, 255, np.uint8)
    out[:, : image.shape[0], : image.shape[1]] = ((image.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)
    out_label[: label.shape[0], : label.shape[1]] = label
    return out, out_label


def measure(lib, job):
    rng = np.random.default_rng(job["seed"])
    table = np.array(job["labels"], np.uint8)
    pairs = job["pairs"]
    for i in range(2):
        sample(lib, pairs[i % len(pairs)], table, rng)
    wall, cpu = time.perf_counter(), time.process_time()
    for i in range(job["images"]):
        sample(lib, pairs[i % len(pairs)], table, rng)
    return {
        "library": lib.name,
        "images": job["images"],
        "cpuSeconds": time.process_time() - cpu,
        "wallSeconds": time.perf_counter() - wall,
    }


for library in (WithOpenCV, WithPillow):
    try:
        lib = library()
    except ImportError:
        continue
    print(json.dumps(measure(lib, json.loads(sys.argv[1]))), flush=True)
