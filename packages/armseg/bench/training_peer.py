"""The peer of `armseg bench training`: a training loop in PyTorch, written for itself. Prints JSON.

    python3 training_peer.py '{"device": "cpu", "threads": 2, "iterations": 200, "size": [4, 96, 128], "backbone": "resnet18", ...}'

The job (src/bench/training.ts) names recipe and data: files of bytes, images [N, H, W, 3] and labels [N, H, W], 255 ignored.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

import peer
from deeplab import Network

IGNORE = 255


def read_split(split):
    count, (height, width) = split["count"], split["size"]

    def read(kind, *shape):
        with open(f"{split['path']}.{kind}", "rb") as file:
            return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(count, height, width, *shape)

    return read("images", 3).permute(0, 3, 1, 2), read("labels")


def initialise(network):
    """As mmsegmentation: Kaiming, fan-out, normal; classifiers N(0, 0.01); the last norm of each residual starts at 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.bias is None:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)
    for stage in network.stages:
        for block in stage:
            nn.init.zeros_(block.body[-1][1].weight)


def uniform(low, high):
    return low + (high - low) * torch.rand(()).item()


def coin(probability=0.5):
    return torch.rand(()).item() < probability


def distort(image):
    """Brightness, contrast early or late, saturation, each with probability one half; of [3, H, W] in levels of 255."""
    clip = lambda x: x.clamp(0, 255).floor()
    contrast = lambda x: clip(x * uniform(0.5, 1.5)) if coin() else x
    if coin():
        image = clip(image + uniform(-32, 32))
    is_first = coin()
    if is_first:
        image = contrast(image)
    if coin():
        value = image.amax(0, keepdim=True)  # saturation of HSV: distances from the brightest channel
        image = clip(value - (value - image) * uniform(0.5, 1.5))
    return image if is_first else contrast(image)


def augment(image, label, job):
    """Resize, crop, flip, distort, normalise, pad."""
    options, (_, height, width) = job["augmentation"], job["size"]
    factor = uniform(*options["scale"])
    size = [max(1, round(side * factor)) for side in label.shape]
    image = F.interpolate(image[None].float(), size, mode="bilinear", align_corners=False)[0]
    label = F.interpolate(label[None, None].float(), size, mode="nearest")[0, 0]
    top, left = (torch.randint(max(side - crop, 0) + 1, ()).item() for side, crop in zip(size, (height, width)))
    image, label = image[:, top : top + height, left : left + width], label[top : top + height, left : left + width]
    if coin(options["flip"]):
        image, label = image.flip(-1), label.flip(-1)
    if options["photometric"]:
        image = distort(image.floor())
    padding = (0, width - label.shape[1], 0, height - label.shape[0])
    return F.pad(normalise(image, job), padding), F.pad(label, padding, value=IGNORE).long()


def normalise(image, job):
    mean, std = (torch.tensor(job[key])[:, None, None] for key in ("mean", "std"))
    return (image - mean) / std


def batches(images, labels, job):
    order = torch.empty(0, dtype=torch.long)
    while True:
        while len(order) < job["size"][0]:
            order = torch.cat([order, torch.randperm(len(images))])
        chosen, order = order[: job["size"][0]], order[job["size"][0] :]
        samples = [augment(images[i], labels[i], job) for i in chosen]
        yield [torch.stack(parts) for parts in zip(*samples)]


def learning_rate(iteration, job):
    schedule, part = job["schedule"], iteration / job["iterations"]
    warm_up = min(1, 0.01 + 0.99 * part / schedule["warmupFraction"])
    return job["optimizer"]["learningRate"] * warm_up * (1 - part) ** schedule["power"]


def mean_iou(network, images, labels, job, device):
    """In percent, over the classes that are labelled or predicted."""
    classes = job["classes"]
    confusion = torch.zeros(classes, classes)
    network.eval()
    with torch.no_grad():
        for image, label in zip(images, labels):
            logits = network(normalise(image.float(), job)[None].to(device))[0]
            prediction = F.interpolate(logits, label.shape, mode="bilinear", align_corners=False).argmax(1)[0].cpu()
            valid = label != IGNORE
            pairs = label[valid].long() * classes + prediction[valid]
            confusion += torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    network.train()
    union = confusion.sum(0) + confusion.sum(1) - confusion.diag()
    return 100 * (confusion.diag() / union)[union > 0].mean().item()


def train(job, device):
    torch.manual_seed(0)
    memory_format = torch.channels_last if device.type == "cuda" else torch.contiguous_format
    network = Network(job["backbone"], job["classes"])
    initialise(network)
    network.to(device, memory_format=memory_format)
    options = job["optimizer"]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=options["momentum"], weight_decay=options["weightDecay"])
    data, validation = batches(*read_split(job["train"]), job), read_split(job["val"])
    resize = lambda logits: F.interpolate(logits, job["size"][1:], mode="bilinear", align_corners=False)
    loss = lambda logits, labels: F.cross_entropy(resize(logits), labels, ignore_index=IGNORE)
    scores, start, cpu_start = [], time.perf_counter(), time.process_time()
    for iteration in range(job["iterations"]):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(iteration, job)
        images, labels = (part.to(device) for part in next(data))
        main, auxiliary = network(images.contiguous(memory_format=memory_format))
        optimizer.zero_grad(set_to_none=True)
        (loss(main, labels) + 0.4 * loss(auxiliary, labels)).backward()
        optimizer.step()
        if (iteration + 1) % job["evaluateEvery"] == 0 or iteration + 1 == job["iterations"]:
            score = mean_iou(network, *validation, job, device)
            times = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
            scores.append({"iteration": iteration + 1, "mIoU": score, **times})
    return scores


def main():
    job = json.loads(sys.argv[1])
    scores = train(job, peer.device_of(job))
    print(json.dumps({"torch": torch.__version__, "scores": scores}))


if __name__ == "__main__":
    main()
