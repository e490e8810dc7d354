"""The loss of docs/kernels.md composed of PyTorch operators and differentiated by autograd: the judge of the kernels.

In float64 it is the reference of the tests; in float32 it is the peer of the benchmarks.
"""

import math

import torch
import torch.nn.functional as F


def confidence(log_p, indicator, log_scale=None):
    classes = log_p.shape[1]
    p = log_p.exp()
    t = (p - 1 / classes).pow(2).mean(1) * classes * classes / (classes - 1)
    if indicator == "var":
        return 2 * t - 1
    if indicator == "std":
        return 2 * t.sqrt() - 1
    if indicator == "logVar":
        return 1 + 2 * t.clamp(min=1e-4).log() / math.log(1e4)
    if indicator == "entropy":
        return 1 - 2 * -(p * log_p.clamp(min=-1e9)).sum(1) / math.log(classes)
    scale = log_scale.exp()
    return (1 - scale) / (1 + scale)


def loss_of_pixel(log_likelihood, pixel_loss, q, gamma, log_scale):
    ce = -log_likelihood
    if pixel_loss == "ce":
        return ce
    if pixel_loss == "gce":
        return -torch.expm1(q * log_likelihood) / q
    if pixel_loss == "focal":
        return (1 - log_likelihood.exp()).pow(gamma) * ce
    return ce * torch.exp(-log_scale) + log_scale / 2


def curve(knots, u):
    """Linear interpolation of the knots, evenly spaced on [-1, 1]."""
    cells = knots.shape[0] - 1
    position = ((u + 1) * (cells / 2)).clamp(0, cells)
    cell = position.floor().clamp(max=cells - 1).long()
    fraction = position - cell
    return knots[cell] + (knots[cell + 1] - knots[cell]) * fraction


def upsample(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def reweighted_loss(logits, labels, knots=None, log_scale=None, class_weights=None, pixel_weights=None, keep_below=None, *,
                    indicator="var", pixel_loss="ce", q=0.1, gamma=2.0, p=2.0, ignore_index=255, normalise="valid"):
    """Returns objective, mean, and the maps of weight and loss of the kept pixels."""
    size = labels.shape[1:]
    log_p = F.log_softmax(upsample(logits, size), dim=1)
    if log_scale is not None:
        log_scale = upsample(log_scale.reshape(log_scale.shape[0], 1, *log_scale.shape[-2:]), size)[:, 0]
    valid = labels != ignore_index
    target = torch.where(valid, labels, torch.zeros_like(labels)).long()
    log_likelihood = log_p.gather(1, target[:, None])[:, 0]
    kept = valid if keep_below is None else valid & (log_likelihood.detach().exp() < keep_below)
    losses = loss_of_pixel(log_likelihood, pixel_loss, q, gamma, log_scale)
    if class_weights is not None:
        losses = losses * class_weights[target]
    if pixel_weights is not None:
        losses = losses * pixel_weights
    losses = losses[kept]
    mean = losses.sum() / (labels.numel() if normalise == "all" else max(1, losses.numel()))
    if knots is None:
        return mean, mean, None, losses
    u = confidence(log_p.detach(), indicator, None if log_scale is None else log_scale.detach())[kept]
    weights = curve(knots, u)
    power_sum = weights.pow(p).sum()
    if losses.numel() == 0 or not power_sum > 0:
        return mean * 0 + knots.sum() * 0, mean, weights, losses
    hat = weights / power_sum.pow(1 / p)
    final = hat / hat.sum().detach()
    return (final * losses).sum(), mean, weights, losses


def ohem_threshold(logits, labels, threshold=0.7, min_kept=100000, ignore_index=255):
    p = F.softmax(upsample(logits, labels.shape[1:]), dim=1)
    valid = labels != ignore_index
    target = torch.where(valid, labels, torch.zeros_like(labels)).long()
    ordered = p.gather(1, target[:, None])[:, 0][valid].sort()[0]
    if ordered.numel() == 0:
        return torch.tensor(threshold)
    return torch.clamp(ordered[min(min_kept, ordered.numel() - 1)], min=threshold)


def confusion(logits, labels, ignore_index=255):
    classes = logits.shape[1]
    prediction = upsample(logits, labels.shape[1:]).argmax(1)
    valid = labels != ignore_index
    return torch.bincount(labels[valid].long() * classes + prediction[valid], minlength=classes * classes).reshape(classes, classes)
