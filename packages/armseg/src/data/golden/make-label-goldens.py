"""Independent readings (PIL, numpy, pycocotools) of the sample files, as hashes: labels.json.

Run with the folder of samples:  python make-label-goldens.py ../../../../../../shared/data
Needs numpy, Pillow and pycocotools. Only hashes and counts are written, no content of the files.
"""
import base64
import glob
import hashlib
import io
import json
import math
import os
import sys
import xml.etree.ElementTree as ET

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

ROOT = sys.argv[1]
S = os.path.join(ROOT, "samples")
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "labels.json")

# id -> trainId, written down a second time on purpose
TRAIN_ID = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13,
            27: 14, 28: 15, 31: 16, 32: 17, 33: 18}
CITY_NAMES = ["road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
              "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def rows(array):
    """Eight hex digits a row: shows which rows differ without holding the label."""
    return "".join(hashlib.sha256(row.tobytes()).hexdigest()[:8] for row in np.ascontiguousarray(array))


def counts(array):
    values, number = np.unique(array, return_counts=True)
    return {str(v): int(n) for v, n in zip(values, number)}


def entry(array):
    return {"sha256": sha(array), "size": list(array.shape), "counts": counts(array)}


def row_entry(array):
    return {"rows": rows(array), "size": list(array.shape)}


def open_array(path):
    return np.array(Image.open(path))


def rel(path):
    return os.path.relpath(path, ROOT)


def cityscapes():
    lut = np.full(256, 255, np.uint8)
    for k, v in TRAIN_ID.items():
        lut[k] = v
    masks, raw, polygons = {}, {}, {}
    for path in sorted(glob.glob(S + "/cityscapes/gtFine/*/*/*_labelIds.png")):
        masks[rel(path)] = entry(lut[open_array(path)])
    for path in sorted(glob.glob(S + "/cityscapes/gtFine/*/*/*_instanceIds.png")):
        raw[rel(path)] = {"sha256": sha(open_array(path).astype("<u2"))}
    for path in sorted(glob.glob(S + "/cityscapes/gt*/*/*/*_polygons.json")):
        polygons[rel(path)] = row_entry(city_polygons(path))
    return {"labelIds": masks, "instanceIds": raw, "polygons": polygons}


def city_polygons(path):
    """cityscapesScripts' json2labelImg with train ids."""
    file = json.load(open(path))
    image = Image.new("L", (file["imgWidth"], file["imgHeight"]), 255)
    draw = ImageDraw.Draw(image)
    for item in file["objects"]:
        label = item["label"]
        if item.get("deleted") or label.startswith("license plate"):
            continue
        if label not in CITY_NAMES and label.endswith("group") and label != "polegroup":
            label = label[:-5]
        draw.polygon([tuple(p) for p in item["polygon"]],
                     fill=CITY_NAMES.index(label) if label in CITY_NAMES else 255)
    return np.array(image)


def ade20k():
    out = {}
    for path in sorted(glob.glob(S + "/ade20k/sceneparsing/sampleData/annotations/*.png")):
        label = open_array(path).astype(int) - 1
        label[label < 0] = 255
        out[rel(path)] = entry(label.astype(np.uint8))
    return out


def camvid():
    out = {}
    for split in ["train", "val", "test"]:
        lines = [line.split() for line in open(os.path.join(ROOT, "camvid", split + ".txt"))]
        digest, number = hashlib.sha256(), np.zeros(256, np.int64)
        pixels, around = np.zeros(11), np.zeros(11)
        for _, label in lines:
            array = open_array(os.path.join(ROOT, "camvid", label))
            digest.update(array.tobytes())
            number += np.bincount(array.ravel(), minlength=256)
            present = np.unique(array[array < 11])
            pixels += np.bincount(array.ravel(), minlength=256)[:11]
            around[present] += (array < 11).sum()
        share = pixels / around
        out[split] = {"inverseLog": (1 / np.log(1.02 + pixels / pixels.sum())).tolist(),
                      "medianFrequency": (np.median(share) / share).tolist(), "files": len(lines), "sha256": digest.hexdigest(),
                      "counts": {str(v): int(n) for v, n in enumerate(number) if n}}
    return out


LABELME_VOC = ["_background_", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
               "diningtable", "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train",
               "tv/monitor"]


def labelme_mask(shape, size):
    """LabelMe's shape_to_mask."""
    mask = Image.fromarray(np.zeros(size, np.uint8))
    draw = ImageDraw.Draw(mask)
    xy = [tuple(p) for p in shape["points"]]
    kind = shape.get("shape_type") or "polygon"
    if kind == "circle":
        (cx, cy), (px, py) = xy
        d = math.sqrt((cx - px) ** 2 + (cy - py) ** 2)
        draw.ellipse([cx - d, cy - d, cx + d, cy + d], outline=1, fill=1)
    elif kind == "rectangle":
        draw.rectangle(xy, outline=1, fill=1)
    elif kind in ("line", "linestrip"):
        draw.line(xy=xy, fill=1, width=10)
    elif kind == "point":
        cx, cy = xy[0]
        draw.ellipse([cx - 5, cy - 5, cx + 5, cy + 5], outline=1, fill=1)
    elif kind == "mask":
        (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
        box = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))).astype(bool)
        out = np.zeros(size, bool)
        out[y1:y2 + 1, x1:x2 + 1] = box
        return out
    else:
        draw.polygon(xy=xy, outline=1, fill=1)
    return np.array(mask, dtype=bool)


def labelme():
    out = {"png": {}, "json": {}}
    for path in sorted(glob.glob(S + "/labelme/*/data_dataset_voc/SegmentationClass/*.png")):
        out["png"][rel(path)] = entry(open_array(path))
    files = sorted(glob.glob(S + "/labelme/semantic_segmentation/data_annotated/*.json"))
    for path in files + [S + "/labelme/primitives/primitives.json"]:
        file = json.load(open(path))
        names = sorted({s["label"] for s in file["shapes"]} - {"__ignore__"})
        label = np.full((file["imageHeight"], file["imageWidth"]), 255, np.uint8)
        for shape in file["shapes"]:
            value = 255 if shape["label"] == "__ignore__" else names.index(shape["label"])
            label[labelme_mask(shape, label.shape)] = value
        out["json"][rel(path)] = {**row_entry(label), "counts": counts(label)}
    return out


def coco_segments(path):
    """Every annotation of an image, painted in the order of the file; class = place of the category in the file."""
    file = json.load(open(path))
    index = {c["id"]: i for i, c in enumerate(file["categories"])}
    out = {}
    for image in file["images"]:
        label = np.full((image["height"], image["width"]), 255, np.uint8)
        for a in file["annotations"]:
            if a["image_id"] == image["id"]:
                label[coco_mask.decode(a["segmentation"]).astype(bool)] = index[a["category_id"]]
        out[image["file_name"]] = entry(label)
    return out


def coco_panoptic(folder, two_channel):
    base = S + "/coco/panopticapi/sample_data/"
    file = json.load(open(base + "panoptic_examples.json"))
    index = {c["id"]: i for i, c in enumerate(file["categories"])}
    names = {i["id"]: i["file_name"] for i in file["images"]}
    out = {}
    for a in file["annotations"]:
        rgb = open_array(base + folder + "/" + a["file_name"]).astype(np.int64)
        label = np.full(rgb.shape[:2], 255, np.uint8)
        if two_channel:
            for category, i in index.items():
                label[rgb[..., 0] == category] = i
        else:
            ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
            for s in a["segments_info"]:
                label[ids == s["id"]] = index[s["category_id"]]
        out[names[a["image_id"]]] = entry(label)
    return out


def inside(points, height, width):
    """Even-odd rule at pixel centres."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    result = np.zeros((height, width), bool)
    for (xa, ya), (xb, yb) in zip(points, points[1:] + points[:1]):
        if ya == yb:
            continue
        crosses = (ya <= y) != (yb <= y)
        result ^= crosses & (x < xa + (y - ya) * (xb - xa) / (yb - ya))
    return result


def cvat_image(image, names, polygon):
    height, width = int(image.get("height")), int(image.get("width"))
    label = np.full((height, width), 255, np.uint8)
    shapes = [s for s in image if s.tag in ("box", "polygon", "mask") and s.get("label")]
    for s in sorted(shapes, key=lambda s: int(s.get("z_order", 0))):
        if s.tag == "box":
            x0, y0, x1, y1 = (float(s.get(k)) for k in ("xtl", "ytl", "xbr", "ybr"))
            mask = polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], height, width)
        elif s.tag == "polygon":
            mask = polygon([tuple(map(float, p.split(","))) for p in s.get("points").split(";")], height, width)
        else:
            runs = [int(v) for v in s.get("rle").split(",")]
            bits = np.concatenate([np.full(n, i % 2, bool) for i, n in enumerate(runs)])
            mask = np.zeros((height, width), bool)
            top, left, h, w = (int(s.get(k)) for k in ("top", "left", "height", "width"))
            mask[top:top + h, left:left + w] = bits.reshape(h, w)
        label[mask] = names.index(s.get("label"))
    return label


def coco_polygon(points, height, width):
    return coco_mask.decode(coco_mask.frPyObjects([np.array(points).ravel().tolist()], height, width))[..., 0] > 0


def cvat():
    base = S + "/cvat/datumaro/tests/assets/cvat_dataset/for_images/"
    out = {"task": {}, "project": {}}
    for i in ET.parse(base + "export_task/train.xml").getroot().findall("image"):
        out["task"][i.get("name")] = entry(cvat_image(i, ["label1", "label2"], inside))
    for i in ET.parse(base + "export_project/annotations.xml").getroot().findall("image"):
        out["project"][i.get("subset") + "/" + i.get("name")] = entry(cvat_image(i, ["label1", "label2"], inside))
    docs = ET.parse(S + "/cvat/cvat_docs/example_images_1.1.xml").getroot().find("image")
    names = ["car", "traffic_line", "wheel", "plate"]
    out["docs"] = {"centres": entry(cvat_image(docs, names, inside)), "coco": counts(cvat_image(docs, names, coco_polygon))}
    box = [t for t in ET.parse(S + "/cvat/datumaro/tests/assets/cvat_dataset/for_video/annotations.xml").getroot()
           .findall("track")][0].find("box")
    label = np.full((20, 25), 255, np.uint8)
    x0, y0, x1, y1 = (float(box.get(k)) for k in ("xtl", "ytl", "xbr", "ybr"))
    label[inside([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], 20, 25)] = 2
    out["video"] = {"frame_000010": entry(label)}
    return out


def images():
    out = {}
    for path in (sorted(glob.glob(S + "/cityscapes/leftImg8bit/*/*/*.png")) + sorted(glob.glob(S + "/coco/*/*/input_images/*.jpg"))
                 + sorted(glob.glob(S + "/ade20k/*/*/images/*.jpg")) + sorted(glob.glob(S + "/cvat/*/*/*/*/for_video/images/*.png"))):
        array = np.array(Image.open(path).convert("RGB"))
        out[rel(path)] = {"sha256": sha(array), "size": list(array.shape[:2]), "mean": float(array.mean())}
    return out


json.dump({
    "cityscapes": cityscapes(), "ade20k": ade20k(), "camvid": camvid(), "labelme": labelme(),
    "coco": {
        "stuff": coco_segments(S + "/coco/cocostuffapi/annotations/stuff_examples.json"),
        "detection": coco_segments(S + "/coco/panopticapi/sample_data/panoptic_coco_detection_format.json"),
        "panoptic": coco_panoptic("panoptic_examples", False),
        "twoChannel": coco_panoptic("panoptic_examples_2ch_format", True),
    },
    "cvat": cvat(), "images": images(),
}, open(OUT, "w"), indent=1)
