"""Writes golden.json: the loss of DESIGN section 1 and OHEM, transcribed into PyTorch independently of the TypeScript.

Run with a Python that has torch: python3 generate.py. Everything is float64.
"""
import itertools
import json
import math
import os

import torch
import torch.nn.functional as F

torch.manual_seed(2009)
HERE = os.path.dirname(os.path.abspath(__file__))
N, C, LOW, HIGH = 2, 5, (4, 5), (9, 13)

logits = (torch.randn(N, C, *LOW, dtype=torch.float64) * 2).requires_grad_()
log_scale = (torch.randn(N, 1, *LOW, dtype=torch.float64) * 0.5).requires_grad_()
labels = torch.randint(0, C, (N, *HIGH))
labels[torch.rand(N, *HIGH) < 0.25] = 255
probe = torch.randn(N, C, *LOW, dtype=torch.float64)
class_weights = torch.tensor([1.0, 2.0, 0.5, 1.5, 3.0], dtype=torch.float64)
pixel_weights = torch.rand(N, *HIGH, dtype=torch.float64)

arm = torch.nn.Sequential(
    torch.nn.Conv2d(1, 4, 1), torch.nn.SiLU(), torch.nn.Conv2d(4, 4, 1), torch.nn.SiLU(),
    torch.nn.Conv2d(4, 4, 1), torch.nn.SiLU(), torch.nn.Conv2d(4, 1, 1), torch.nn.Sigmoid()).double()


def upsample(x):
    return F.interpolate(x, size=HIGH, mode="bilinear", align_corners=False)


def confidence(indicator, p, s):
    n_classes = p.shape[1]
    v = ((p - 1 / n_classes) ** 2).mean(1)
    if indicator == "var":
        return 2 * n_classes ** 2 / (n_classes - 1) * v - 1
    t = v * n_classes ** 2 / (n_classes - 1)
    if indicator == "std":
        return 2 * t.sqrt() - 1
    if indicator == "logVar":
        return 1 + 2 * t.clamp(min=1e-4).log() / math.log(1e4)
    if indicator == "entropy":
        return 1 - 2 * -(p * p.log()).sum(1) / math.log(n_classes)
    return (1 - s) / (1 + s)


def pixel_loss(loss, p_y, s):
    if loss == "ce":
        return -p_y.log()
    if loss == "gce":
        return (1 - p_y ** 0.1) / 0.1
    if loss == "focal":
        return (1 - p_y) ** 2 * -p_y.log()
    return -p_y.log() / s + 0.5 * s.log()


def curve_of(name, u):
    if name == "arm":
        return arm(u.unsqueeze(1)).squeeze(1)
    return -0.5 * u + 0.5 if name == "suppress" else 0.5 * u + 0.5


def run(indicator, loss, curve, p, weighted):
    p_all = F.softmax(upsample(logits), 1)
    s = upsample(log_scale).exp().squeeze(1)
    valid = labels != 255
    p_y = p_all.gather(1, labels.masked_fill(~valid, 0).unsqueeze(1)).squeeze(1)
    l = pixel_loss(loss, p_y, s)
    if weighted:
        l = l * class_weights[labels.masked_fill(~valid, 0)] * pixel_weights
    u = confidence(indicator, p_all, s).detach()
    l, w, u = l[valid], curve_of(curve, u)[valid], u[valid]
    w_hat = w / (w ** p).sum() ** (1 / p)
    q = (w_hat / w_hat.sum().detach() * l).sum()
    for tensor in [logits, log_scale, *arm.parameters()]:
        tensor.grad = None
    q.backward()
    return {
        "indicator": indicator, "loss": loss, "curve": curve, "p": p, "weighted": weighted,
        "q": q.item(), "mean": l.mean().item(), "meanConfidence": u.mean().item(),
        "logitsGradient": (logits.grad * probe).sum().item(),
        "logScaleGradient": None if log_scale.grad is None else (log_scale.grad * probe[:, :1]).sum().item(),
        "curveGradient": None if curve != "arm" else [p.grad.norm().item() for p in arm.parameters()],
    }


cases = [run(i, l, c, p, False) for i, l, c, p in itertools.product(
    ["var", "std", "logVar", "entropy", "kl"], ["ce", "gce", "focal", "kl"], ["arm", "suppress"], [1, 2, 1.5])]
cases += [run("var", "ce", "arm", p, True) for p in (2, 3)] + [run("entropy", "focal", "focus", 2, True)]


def openseg_ohem(threshold, min_kept):
    """openseg OhemCrossEntropy, as peers-and-recipes section 2.5 describes it."""
    z = upsample(logits.detach())
    valid = labels != 255
    ce = F.cross_entropy(z, labels, ignore_index=255, reduction="none")
    p_y = F.softmax(z, 1).gather(1, labels.masked_fill(~valid, 0).unsqueeze(1)).squeeze(1)[valid]
    ordered = p_y.sort()[0]
    t = max(ordered[min(min_kept, len(ordered) - 1)].item(), threshold)
    kept = p_y < t
    return {"semantics": "openseg", "threshold": threshold, "minKept": min_kept, "kept": int(kept.sum()),
            "loss": ce[valid][kept].mean().item()}


def mmseg_ohem(threshold, min_kept):
    """mmsegmentation OHEMPixelSampler: 0/1 weights times the loss, then the mean over all pixels."""
    z = upsample(logits.detach())
    valid = labels != 255
    ce = F.cross_entropy(z, labels, ignore_index=255, reduction="none")
    batch_kept = min_kept * N
    weight = torch.zeros_like(ce)
    if threshold is None:
        chosen = torch.zeros(int(valid.sum()), dtype=torch.float64)
        chosen[ce[valid].sort(descending=True)[1][:batch_kept]] = 1
    else:
        p_y = F.softmax(z, 1).gather(1, labels.masked_fill(~valid, 0).unsqueeze(1)).squeeze(1)[valid]
        ordered = p_y.sort()[0]
        t = max(ordered[min(batch_kept, len(ordered) - 1)].item(), threshold)
        chosen = (p_y < t).double()
    weight[valid] = chosen
    return {"semantics": "mmseg", "threshold": threshold, "minKept": min_kept, "kept": int(weight.sum()),
            "loss": (ce * weight).mean().item()}


ohem = [openseg_ohem(t, k) for t, k in ((0.7, 100000), (0.7, 20), (0.1, 20), (0.9, 1))]
ohem += [mmseg_ohem(t, k) for t, k in ((0.7, 100000), (0.1, 20), (None, 15), (None, 100000))]

flat = lambda t: t.detach().flatten().tolist()
with open(os.path.join(HERE, "golden.json"), "w") as file:
    json.dump({
        "sizes": {"low": [N, C, *LOW], "high": [N, *HIGH]},
        "logits": flat(logits), "logScale": flat(log_scale), "labels": flat(labels), "probe": flat(probe),
        "classWeights": flat(class_weights), "pixelWeights": flat(pixel_weights),
        "arm": {f"conv{i // 2 + 1}.{n.split('.')[-1]}": {"shape": list(p.shape), "values": flat(p)}
                for i, (n, p) in enumerate(arm.named_parameters())},
        "cases": cases, "ohem": ohem,
    }, file)
print(len(cases), "cases", ohem)
