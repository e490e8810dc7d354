"""Writes golden.json and golden.bin: metrics, Boundary IoU and test-time augmentation, computed independently of the TypeScript.

Run with a Python that has numpy and torch: python3 generate.py. Everything is float64. Where OpenCV is there, the erosion is held to it.
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(2009)
torch.manual_seed(2009)
arrays = []


def store(array):
    """Puts an array into the binary file and returns where it is."""
    offset = sum(a.size for a in arrays)
    arrays.append(np.ascontiguousarray(array, dtype=np.float64))
    return {"offset": offset, "shape": list(np.shape(array))}


# --- metrics ---------------------------------------------------------------------------------------------------------

def metrics_case(classes, pixels, labelled, predicted):
    labels = rng.choice(np.append(labelled, 255), pixels)
    predictions = rng.choice(predicted, pixels)
    right = rng.random(pixels) < 0.6
    predictions = np.where(right & np.isin(labels, predicted), labels, predictions)
    valid = labels != 255
    confusion = np.bincount(labels[valid] * classes + predictions[valid], minlength=classes ** 2).reshape(classes, classes)
    right = np.diag(confusion).astype(np.float64)
    with np.errstate(invalid="ignore"):
        iou = right / (confusion.sum(0) + confusion.sum(1) - right)
        accuracy = right / confusion.sum(1)
    result = {"aAcc": right.sum() / confusion.sum(), "mAcc": np.nanmean(accuracy), "mIoU": np.nanmean(iou)}
    none = lambda values: [None if np.isnan(v) else v for v in values]
    return {"classes": classes, "labels": labels.tolist(), "predictions": predictions.tolist(), "confusion": confusion.tolist(),
            "iou": none(iou), "accuracy": none(accuracy), **result}


metrics = [
    metrics_case(3, 500, [0, 1, 2], [0, 1, 2]),
    # 4 is only labelled, 5 only predicted, 6 neither.
    metrics_case(7, 3000, [0, 1, 2, 3, 4], [0, 1, 2, 3, 5]),
    metrics_case(19, 4000, list(range(19)), list(range(19))),
]

# --- Boundary IoU ----------------------------------------------------------------------------------------------------

def erode(mask, iterations):
    """Erosion by 3 x 3; beyond the array nothing is taken away."""
    for _ in range(iterations):
        padded = np.pad(mask, 1, constant_values=1)
        shifts = [padded[y:y + mask.shape[0], x:x + mask.shape[1]] for y in range(3) for x in range(3)]
        mask = np.minimum.reduce(shifts)
    return mask


def boundary(mask, ratio):
    height, width = mask.shape
    distance = max(1, int(round(ratio * np.sqrt(height ** 2 + width ** 2))))
    padded = np.pad(mask.astype(np.uint8), 1)
    eroded = erode(padded, distance)
    try:
        import cv2
        assert (cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance) == eroded).all()
        print("erosion equals OpenCV's")
    except ImportError:
        pass
    return (mask - eroded[1:-1, 1:-1]).astype(bool)


def blobs(height, width, classes, seeds):
    ys, xs = np.mgrid[:height, :width]
    centres = rng.random((seeds, 2)) * [height, width]
    distance = (ys[..., None] - centres[:, 0]) ** 2 + (xs[..., None] - centres[:, 1]) ** 2
    return rng.integers(0, classes, seeds)[distance.argmin(-1)]


def boundary_case(classes, ratio, sizes):
    images, both, union = [], np.zeros(classes), np.zeros(classes)
    for height, width in sizes:
        label = blobs(height, width, classes, 9)
        prediction = np.where(rng.random(label.shape) < 0.02, rng.integers(0, classes, label.shape), np.roll(label, (1, -2), (0, 1)))
        label = np.where(blobs(height, width, 5, 7) == 0, 255, label)
        images.append({"height": height, "width": width, "label": label.ravel().tolist(), "prediction": prediction.ravel().tolist()})
        judged = np.where(label == 255, 255, prediction)
        for c in range(classes):
            truth, guess = boundary((label == c).astype(np.uint8), ratio), boundary((judged == c).astype(np.uint8), ratio)
            both[c] += (truth & guess).sum()
            union[c] += (truth | guess).sum()
    with np.errstate(invalid="ignore"):
        iou = both / union
    return {"classes": classes, "ratio": ratio, "images": images, "iou": [None if np.isnan(v) else v for v in iou], "mean": np.nanmean(iou)}


boundaries = [boundary_case(4, 0.02, [(24, 40), (31, 17)]), boundary_case(5, 0.06, [(40, 56)]), boundary_case(3, 0.02, [(90, 70)])]

# --- windows and views -----------------------------------------------------------------------------------------------

CLASSES, HEIGHT, WIDTH, FINAL = 3, 21, 27, (30, 26)
first, second = torch.randn(6, 3, 5, 5, dtype=torch.float64) * 0.3, torch.randn(CLASSES, 6, 1, 1, dtype=torch.float64) * 3
image = torch.randn(1, 3, HEIGHT, WIDTH, dtype=torch.float64)


def network(x):
    return F.conv2d(torch.tanh(F.conv2d(x, first, stride=4, padding=2)), second)


def resize(x, size, align_corners=False):
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=align_corners)


def dense(x):
    return resize(network(x), x.shape[-2:])


def starts(length, crop, stride):
    count = max(length - crop + stride - 1, 0) // stride + 1
    return [max(min(i * stride + crop, length) - crop, 0) for i in range(count)]


def slide(x, crop, stride, function=dense):
    height, width = x.shape[-2:]
    total, count = torch.zeros(1, CLASSES, height, width, dtype=torch.float64), torch.zeros(1, 1, height, width, dtype=torch.float64)
    for y in starts(height, crop[0], stride[0]):
        for left in starts(width, crop[1], stride[1]):
            part = np.s_[:, :, y:y + crop[0], left:left + crop[1]]
            total[part] += function(x[part])
            count[part] += 1
    assert (count > 0).all()
    return total / count


SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


def mmseg(final, window=None):
    views = []
    for scale in SCALES:
        scaled = resize(image, (int(HEIGHT * scale + 0.5), int(WIDTH * scale + 0.5)))
        for flip in (False, True):
            x = scaled.flip(3) if flip else scaled
            logits = slide(x, *window) if window else dense(x)
            views.append(resize(logits.flip(3) if flip else logits, final).softmax(1))
    return sum(views) / len(views)


def openseg(final, window=None):
    """Its networks bring their logits to the size of what they are shown, its test brings that to the image's; corners are aligned in both."""
    def shown(x):
        return resize(network(x), x.shape[-2:], True)

    total = 0
    for scale in SCALES + (2.0,):
        for flip in (False, True):
            x = image.flip(3) if flip else image
            x = resize(x, (int(HEIGHT * scale), int(WIDTH * scale)), True)
            logits = resize(slide(x, *window, shown) if window else shown(x), (HEIGHT, WIDTH), True)
            total = total + (logits.flip(3) if flip else logits)
    return resize(total, final)


def hrnet(final, crop):
    def exp_of_mean(x):
        return ((dense(x) + dense(x.flip(3)).flip(3)) * 0.5).exp()

    total = 0
    for scale in SCALES:
        scaled = resize(image, (int(HEIGHT * scale + 0.5), int(WIDTH * scale + 0.5)))
        total = total + resize(slide(scaled, crop, crop, exp_of_mean) if scale > 1 else exp_of_mean(scaled), final)
    return total


with torch.no_grad():
    same, crop, stride = (HEIGHT, WIDTH), (12, 16), (7, 9)
    views = [
        {"name": "sliding window", "window": [crop, stride], "final": same, "scores": store(slide(image, crop, stride))},
        {"name": "sliding window, other size", "window": [crop, stride], "final": FINAL, "scores": store(resize(slide(image, crop, stride), FINAL))},
        {"name": "sliding window larger than the image", "window": [(64, 16), (64, 16)], "final": same, "scores": store(slide(image, (64, 16), (64, 16)))},
        {"name": "mmseg", "augmentation": "mmseg", "final": same, "scores": store(mmseg(same))},
        {"name": "mmseg, other size", "augmentation": "mmseg", "final": FINAL, "scores": store(mmseg(FINAL))},
        {"name": "mmseg, sliding window", "augmentation": "mmseg", "window": [crop, stride], "final": same, "scores": store(mmseg(same, (crop, stride)))},
        {"name": "openseg", "augmentation": "openseg", "final": same, "scores": store(openseg(same))},
        {"name": "openseg, other size", "augmentation": "openseg", "final": FINAL, "scores": store(openseg(FINAL))},
        {"name": "openseg, sliding window", "augmentation": "openseg", "window": [crop, stride], "final": same, "scores": store(openseg(same, (crop, stride)))},
        {"name": "hrnet", "augmentation": "hrnet", "crop": crop, "final": same, "scores": store(hrnet(same, crop))},
        {"name": "hrnet, other size", "augmentation": "hrnet", "crop": crop, "final": FINAL, "scores": store(hrnet(FINAL, crop))},
    ]
    inference = {"image": store(image), "first": store(first), "second": store(second), "views": views}

with open(os.path.join(HERE, "golden.json"), "w") as file:
    json.dump({"metrics": metrics, "boundaries": boundaries, "inference": inference}, file, separators=(",", ":"))
    file.write("\n")
np.concatenate([a.ravel() for a in arrays]).astype("<f8").tofile(os.path.join(HERE, "golden.bin"))
