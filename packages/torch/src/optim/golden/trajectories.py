"""Writes trajectories.json: steps of PyTorch's optimizers. Run: python3 trajectories.py (made with torch 1.13.0, Adam's with 2.13.0)."""

import json
import pathlib

import torch

STEPS = 12


def numbers(tensor):
    """Nested lists of the shortest decimals that name the same float32 numbers."""
    if tensor.dim() == 0:
        return float(str(tensor.detach().numpy()))
    return [numbers(part) for part in tensor.detach()]


def start():
    torch.manual_seed(5)
    return torch.randn(3, 4), torch.randn(4), torch.randn(5, 3)


def loss_of(weight, bias, x):
    return ((x @ weight + bias).sin() ** 2).mean() + 0.1 * weight.abs().sum()


def trajectory(make, negative=False):
    weight, bias, x = start()
    parameters = [weight.requires_grad_(), bias.requires_grad_()]
    optimizer = make(*parameters)
    if negative:  # the constructor refuses it
        for group in optimizer.param_groups:
            group["lr"] = -group["lr"]
    points = []
    for step in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(weight, bias if step >= 2 else bias.detach(), x)  # the bias joins late
        loss.backward()
        optimizer.step()
        points.append({"weight": numbers(weight), "bias": numbers(bias)})
    return points


def sgd(**options):
    return lambda w, b: torch.optim.SGD([w, b], foreach=True, **options)


def adamw(**options):
    return lambda w, b: torch.optim.AdamW([w, b], foreach=True, **options)


def adam(**options):
    return lambda w, b: torch.optim.Adam([w, b], foreach=True, **options)


def clipping():
    torch.manual_seed(9)
    tensors = [torch.randn(3, 4), torch.randn(4)]
    result = {"before": [numbers(t) for t in tensors]}
    for name, limit in [("tight", 0.5), ("loose", 100.0)]:
        parameters = [torch.nn.Parameter(torch.zeros_like(t)) for t in tensors]
        for parameter, gradient in zip(parameters, tensors):
            parameter.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        result[name] = {"norm": norm.item(), "after": [numbers(p.grad) for p in parameters]}
    return result


weight, bias, x = start()
golden = {
    "torch": torch.__version__,
    "weight": numbers(weight),
    "bias": numbers(bias),
    "x": numbers(x),
    "trajectories": {
        "plain": trajectory(sgd(lr=0.1)),
        "momentum": trajectory(sgd(lr=0.1, momentum=0.9)),
        "dampening": trajectory(sgd(lr=0.1, momentum=0.9, dampening=0.3)),
        "nesterov": trajectory(sgd(lr=0.1, momentum=0.9, nesterov=True)),
        "decay": trajectory(sgd(lr=0.1, momentum=0.9, weight_decay=0.05)),
        "maximize": trajectory(sgd(lr=0.1, momentum=0.9, weight_decay=0.05, maximize=True)),
        "negative": trajectory(sgd(lr=0.1, momentum=0.9), negative=True),
        "negativeDecay": trajectory(sgd(lr=0.1, momentum=0.9, weight_decay=0.05), negative=True),
        "groups": trajectory(
            lambda w, b: torch.optim.SGD(
                [{"params": [w], "weight_decay": 0.1}, {"params": [b], "lr": 0.5, "momentum": 0.5}],
                lr=0.1, momentum=0.9, foreach=True,
            )
        ),
        "adam": trajectory(adam(lr=0.05)),
        "adamDecay": trajectory(adam(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.2)),
        "adamMaximize": trajectory(adam(lr=0.05, weight_decay=0.2, maximize=True)),
        "adamW": trajectory(adamw(lr=0.05)),
        "adamWMaximize": trajectory(adamw(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.2, maximize=True)),
    },
    "clipping": clipping(),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n")
