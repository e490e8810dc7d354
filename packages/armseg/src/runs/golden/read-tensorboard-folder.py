"""Prints what TensorBoard itself reads from a folder of event files, as JSON: a check by hand of tensorboard.ts.

    pip install tensorboard==2.21.0 && python read-tensorboard-folder.py runs/NAME/tensorboard
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
accumulator.Reload()
tags = accumulator.Tags()
print(
    json.dumps(
        {
            "scalars": {
                tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]
            },
            "images": {
                tag: [[e.step, e.height, e.width, len(e.encoded_image_string)] for e in accumulator.Images(tag)]
                for tag in tags["images"]
            },
            "histograms": {
                tag: [
                    [e.step, e.histogram_value.bucket_limit, e.histogram_value.bucket]
                    for e in accumulator.Histograms(tag)
                ]
                for tag in tags["histograms"]
            },
        },
        indent=1,
    )
)
