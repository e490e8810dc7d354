"""Writes cleanlab.json: what cleanlab itself makes of small planes. PYTHONPATH names a copy of cleanlab; needs its requirements."""

import json
from pathlib import Path

import numpy as np
from cleanlab.segmentation.filter import find_label_issues
from cleanlab.segmentation.rank import _get_label_quality_per_image, get_label_quality_scores

random = np.random.default_rng(7)
images, classes, height, width = 3, 4, 10, 14
truth = random.integers(0, classes, (images, 1 + height // 4, 1 + width // 4)).repeat(4, 1).repeat(4, 2)[:, :height, :width]
noise = random.normal(size=(images, classes, height, width))
logits = noise + 2.5 * (np.arange(classes)[None, :, None, None] == truth[:, None])
probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
probabilities = probabilities.round(6)
labels = np.where(random.random(truth.shape) < 0.12, random.integers(0, classes, truth.shape), truth)
ignored = random.random(truth.shape) < 0.2
issues = find_label_issues(labels, probabilities, n_jobs=1, verbose=False)
scores, pixels = get_label_quality_scores(labels, probabilities, verbose=False)
valid = [
    float(_get_label_quality_per_image(pixels[i][~ignored[i]].flatten(), method="softmin", temperature=0.1))
    for i in range(images)
]
result = {
    "height": height,
    "width": width,
    "classes": classes,
    "labels": labels.reshape(images, -1).tolist(),
    "prediction": probabilities.argmax(1).reshape(images, -1).tolist(),
    "likelihood": probabilities.max(1).reshape(images, -1).tolist(),
    "givenLikelihood": pixels.reshape(images, -1).round(6).tolist(),
    "ignored": ignored.reshape(images, -1).astype(int).tolist(),
    "issues": issues.reshape(images, -1).astype(int).tolist(),
    "scores": scores.tolist(),
    "scoresWithoutIgnored": valid,
}
Path(__file__).with_name("cleanlab.json").write_text(json.dumps(result))
print(issues.sum(), "issues", scores, valid)
