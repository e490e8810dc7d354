"""Random polygons as PIL and pycocotools paint them: polygons.json. Needs numpy, Pillow and pycocotools."""
import json
import os
import random

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

random.seed(20260101)
HEIGHT, WIDTH = 96, 128
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "polygons.json")


def ring(kind):
    n = random.randint(3, 12)
    if kind == "whole":
        return [random.randint(-10, WIDTH + 10) if i % 2 == 0 else random.randint(-10, HEIGHT + 10) for i in range(2 * n)]
    cx, cy = random.uniform(30, WIDTH - 30), random.uniform(30, HEIGHT - 30)
    angles = sorted(random.uniform(0, 2 * np.pi) for _ in range(n))
    out = []
    for a in angles:
        r = random.uniform(10, 30)
        out += [round(cx + r * np.cos(a), 2), round(cy + r * np.sin(a), 2)]
    return out


def pil(points):
    image = Image.new("1", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(image).polygon([tuple(points[i:i + 2]) for i in range(0, len(points), 2)], fill=1)
    return np.array(image).astype(np.uint8)


def coco(points):
    return coco_mask.decode(coco_mask.frPyObjects([points], HEIGHT, WIDTH))[..., 0]


def runs(mask):
    """Row-major run lengths, background first."""
    flat = np.concatenate([[0], mask.ravel().astype(int), [-1]])
    edges = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate([[0], edges])).tolist()


cases = []
for kind in ["whole"] * 25 + ["star"] * 25:
    points = ring(kind)
    case = {"ring": points, "pil": runs(pil(points))}
    if kind == "star":
        mask = coco(points)
        case["coco"] = runs(mask)
        case["compressed"] = coco_mask.encode(np.asfortranarray(mask))["counts"].decode()
    cases.append(case)

def labelme_mask(kind, xy):
    """LabelMe's shape_to_mask."""
    image = Image.new("1", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(image)
    if kind in ("circle", "point"):
        cx, cy = xy[0]
        d = 5 if kind == "point" else np.hypot(cx - xy[1][0], cy - xy[1][1])
        draw.ellipse([cx - d, cy - d, cx + d, cy + d], outline=1, fill=1)
    elif kind == "rectangle":
        draw.rectangle(xy, outline=1, fill=1)
    elif kind in ("line", "linestrip"):
        draw.line(xy=xy, fill=1, width=10)
    else:
        draw.polygon(xy=xy, outline=1, fill=1)
    return np.array(image).astype(np.uint8)


shapes = []
for kind, number in [("polygon", 5), ("rectangle", 2), ("circle", 2), ("line", 2), ("linestrip", 3), ("point", 1)]:
    for _ in range(4):
        xy = [(round(random.uniform(20, WIDTH - 20), 2), round(random.uniform(20, HEIGHT - 20), 2)) for _ in range(number)]
        if kind == "rectangle":
            xy = [tuple(map(min, *xy)), tuple(map(max, *xy))]
        shapes.append({"shape_type": kind, "points": xy, "runs": runs(labelme_mask(kind, xy))})
json.dump({"height": HEIGHT, "width": WIDTH, "cases": cases, "shapes": shapes}, open(OUT, "w"))
