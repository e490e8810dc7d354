"""Writes the golden cases beside it: small inputs, and what the float64 reference makes of them.

    python3 test/golden/generate.py
"""

import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "python"))
import reference  # noqa: E402

CASES = {
    "ce-var-p2": dict(),
    "ce-plain": dict(curve=False),
    "gce-std-p3": dict(loss="gce", indicator="std", p=3.0),
    "focal-entropy-p1": dict(loss="focal", indicator="entropy", p=1.0),
    "kl-kl-p15": dict(loss="kl", indicator="kl", p=1.5),
    "ce-logvar-p2": dict(indicator="logVar"),
}


def flat(x):
    return None if x is None else [float(f"{v:.9g}") for v in x.double().flatten().tolist()]


def case(options):
    options = dict(options)
    knots = torch.rand(9) * 0.9 + 0.1 if options.pop("curve", True) else None
    logits, labels = torch.randn(2, 4, 3, 5) * 2, torch.randint(0, 4, (2, 10, 17))
    labels[torch.rand(labels.shape) < 0.2] = 255
    log_s = torch.randn(2, 3, 5) * 0.5 if options.get("loss") == "kl" else None
    leaves = [None if x is None else x.double().requires_grad_() for x in (logits, knots, log_s)]
    objective, mean, _, losses = reference.reweighted_loss(leaves[0], labels, leaves[1], leaves[2], **options)
    objective.backward()
    gradients = [None if x is None else x.grad for x in leaves]
    return {
        "options": options,
        "shapes": {"logits": [2, 4, 3, 5], "labels": [2, 10, 17], "knots": [9], "logS": [2, 3, 5]},
        "logits": flat(logits), "labels": labels.flatten().tolist(), "knots": flat(knots), "logS": flat(log_s),
        "objective": objective.item(), "mean": mean.item(), "valid": losses.numel(),
        "logitsGradient": flat(gradients[0]), "knotsGradient": flat(gradients[1]), "logSGradient": flat(gradients[2]),
        "confusion": reference.confusion(logits, labels).flatten().tolist(),
        "ohemThreshold": {"minKept": 40, "value": reference.ohem_threshold(logits.double(), labels, min_kept=40).item()},
    }


for index, (name, options) in enumerate(CASES.items()):
    torch.manual_seed(index)
    (here / f"{name}.json").write_text(json.dumps(case(options)) + "\n")
