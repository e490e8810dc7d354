"""Writes tensorboard-events.json: events as TensorBoard's own protobuf classes and record writer encode them.

    pip install tensorboard==2.21.0 && python make-tensorboard-events.py
"""

import io
import json
import pathlib
import struct
import zlib

from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" + b"\1\2\3" * 3 + b"\0" + b"\4\5\6" * 3))
    + chunk(b"IEND", b"")
)


def version():
    return event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")


def session_start():
    event = event_pb2.Event(wall_time=1700000001.5, step=12001)
    event.session_log.status = event.session_log.START
    return event


def scalars():
    event = event_pb2.Event(wall_time=1700000002.0, step=5_000_000_000)
    event.summary.value.add(tag="train/loss", simple_value=0.1)
    event.summary.value.add(tag="évaluation/mIoU", simple_value=0.0)
    event.summary.value.add(tag="nan", simple_value=float("nan"))
    return event


def image():
    event = event_pb2.Event(wall_time=1700000003.0, step=300)
    value = event.summary.value.add(tag="sample")
    value.image.height, value.image.width, value.image.colorspace = 2, 3, 3
    value.image.encoded_image_string = PNG
    return event


def histogram():
    edges, counts = [-1.0, -0.5, 0.25, 1.0], [2.0, 0.0, 6.5]
    centres = [(a + b) / 2 for a, b in zip(edges, edges[1:])]
    event = event_pb2.Event(wall_time=1700000004.0)
    histo = event.summary.value.add(tag="curve").histo
    histo.min, histo.max, histo.num = -1.0, 1.0, 8.5
    histo.sum = sum(n * c for n, c in zip(counts, centres))
    histo.sum_squares = sum(n * c * c for n, c in zip(counts, centres))
    histo.bucket_limit.extend(edges)
    histo.bucket.extend([0.0, *counts])
    return event


def record(event):
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString(deterministic=True))
    return file.getvalue().hex()


events = {make.__name__: record(make()) for make in (version, session_start, scalars, image, histogram)}
path = pathlib.Path(__file__).parent / "tensorboard-events.json"
path.write_text(json.dumps({"png": PNG.hex(), "records": events}, indent=2) + "\n")
