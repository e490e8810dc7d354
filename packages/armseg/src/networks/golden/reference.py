"""The networks once more, as plain functions of PyTorch, from the recipes: an independent reference for the golden values.

A network is a function of a Weights object, which makes each tensor from its name when it is first asked for.
"""
import torch
import torch.nn.functional as F

from formula import values


class Weights:
    """Named tensors, made on demand; `at` goes into a part."""

    def __init__(self, is_training, prefix="", store=None):
        self.is_training = is_training
        self.prefix = prefix
        self.store = {} if store is None else store

    def at(self, part):
        return Weights(self.is_training, f"{self.prefix}{part}.", self.store)

    def statistics(self, name, channels):
        """Running mean and variance of a normalisation."""
        return [values(f"{self.prefix}{name}.running_{kind}", (channels,)) for kind in ("mean", "var")]

    def __call__(self, name, *shape):
        full = self.prefix + name
        if full not in self.store:
            self.store[full] = values(full, shape).requires_grad_()
        return self.store[full]


def conv(w, name, x, out, k=1, stride=1, dilation=1, groups=1, bias=False):
    weight = w(f"{name}.weight", out, x.shape[1] // groups, k, k)
    b = w(f"{name}.bias", out) if bias else None
    return F.conv2d(x, weight, b, stride, dilation * (k // 2), dilation, groups)


def norm(w, name, x):
    c = x.shape[1]
    mean, var = w.statistics(name, c)
    return F.batch_norm(x, mean, var, w(f"{name}.weight", c), w(f"{name}.bias", c), w.is_training, 0.1, 1e-5)


def module(w, name, x, out, k=1, act=F.relu, **shape):
    """mmsegmentation's ConvModule."""
    part = w.at(name)
    return act(norm(part, "bn", conv(part, "conv", x, out, k, **shape)))


def resize(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


# Backbones ----------------------------------------------------------------------------------------------------------

LAYOUTS = {8: ((1, 2, 1, 1), (1, 1, 2, 4)), 16: ((1, 2, 2, 1), (1, 1, 1, 2)), 32: ((1, 2, 2, 2), (1, 1, 1, 1))}
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def deep_stem(w, x, widths):
    for i, width in enumerate(widths):
        x = conv(w, f"stem.{3 * i}", x, width, 3, stride=2 if i == 0 else 1)
        x = F.relu(norm(w, f"stem.{3 * i + 1}", x))
    return F.max_pool2d(x, 3, 2, 1)


def resnet(w, x, depth, stride=8, stem="v1c", stride_on="3x3"):
    if stem == "v1c":
        x = deep_stem(w, x, (32, 32, 64))
    else:
        x = F.max_pool2d(F.relu(norm(w, "bn1", conv(w, "conv1", x, 64, 7, stride=2))), 3, 2, 1)
    strides, dilations = LAYOUTS[stride]
    stages = []
    for s in range(4):
        for b in range(BLOCKS[depth][s]):
            first = b == 0
            dilation = dilations[s] // 2 if first and dilations[s] > 1 else dilations[s]
            x = residual(w.at(f"layer{s + 1}.{b}"), x, 64 * 2**s, strides[s] if first else 1, dilation, depth >= 50, stride_on)
        stages.append(x)
    return stages


def residual(w, x, width, stride, dilation, is_bottleneck, stride_on):
    if is_bottleneck:
        s1, s2 = (stride, 1) if stride_on == "1x1" else (1, stride)
        y = F.relu(norm(w, "bn1", conv(w, "conv1", x, width, 1, stride=s1)))
        y = F.relu(norm(w, "bn2", conv(w, "conv2", y, width, 3, stride=s2, dilation=dilation)))
        y = norm(w, "bn3", conv(w, "conv3", y, 4 * width))
    else:
        y = F.relu(norm(w, "bn1", conv(w, "conv1", x, width, 3, stride=stride, dilation=dilation)))
        y = norm(w, "bn2", conv(w, "conv2", y, width, 3))
    if stride > 1 or x.shape[1] != y.shape[1]:
        x = norm(w, "downsample.1", conv(w, "downsample.0", x, y.shape[1], 1, stride=stride))
    return F.relu(x + y)


def resnest(w, x, depth, stride=8):
    x = deep_stem(w, x, {50: (32, 32, 64), 101: (64, 64, 128)}[depth])
    strides, dilations = LAYOUTS[stride]
    stages = []
    for s in range(4):
        for b in range(BLOCKS[depth][s]):
            first = b == 0
            dilation = dilations[s] // 2 if first and dilations[s] > 1 else dilations[s]
            step = strides[s] if first else 1
            x = split_block(w.at(f"layer{s + 1}.{b}"), x, 64 * 2**s, step, dilation, first)
        stages.append(x)
    return stages


def split_block(w, x, width, stride, dilation, first):
    y = F.relu(norm(w, "bn1", conv(w, "conv1", x, width)))
    y = split_attention(w.at("conv2"), y, width, dilation)
    if stride > 1:
        y = F.avg_pool2d(y, 3, stride, 1)
    y = norm(w, "bn3", conv(w, "conv3", y, 4 * width))
    if first:
        x = F.avg_pool2d(x, stride, stride, ceil_mode=True, count_include_pad=False)
        x = norm(w, "downsample.2", conv(w, "downsample.1", x, 4 * width))
    return F.relu(x + y)


def split_attention(w, x, channels, dilation):
    y = F.relu(norm(w, "bn0", conv(w, "conv", x, 2 * channels, 3, dilation=dilation, groups=2)))
    splits = y.view(y.shape[0], 2, channels, *y.shape[2:])
    gap = F.adaptive_avg_pool2d(splits.sum(1), 1)
    gap = F.relu(norm(w, "bn1", conv(w, "fc1", gap, max(channels // 2, 32), bias=True)))
    shares = conv(w, "fc2", gap, 2 * channels, bias=True).view(-1, 2, channels, 1, 1).softmax(1)
    return (shares * splits).sum(1)


def mobilenet(w, x, stride=8):
    strides = {8: (1, 2, 2, 1, 1, 1, 1), 16: (1, 2, 2, 2, 1, 1, 1), 32: (1, 2, 2, 2, 1, 2, 1)}[stride]
    dilations = {8: (1, 1, 1, 2, 2, 4, 4), 16: (1, 1, 1, 1, 1, 2, 2), 32: (1,) * 7}[stride]
    table = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
    x = module(w, "conv1", x, 32, 3, F.relu6, stride=2)
    stages = []
    for i, (expansion, out, blocks) in enumerate(table):
        for b in range(blocks):
            part, y, n = w.at(f"layer{i + 1}.{b}.conv"), x, 0
            if expansion > 1:
                y, n = module(part, "0", y, x.shape[1] * expansion, 1, F.relu6), 1
            s, d = (strides[i], dilations[i]) if b == 0 else (1, 1)
            y = module(part, f"{n}", y, y.shape[1], 3, F.relu6, stride=s, dilation=d, groups=y.shape[1])
            y = module(part, f"{n + 1}", y, out, 1, lambda t: t)
            x = x + y if s == 1 and x.shape[1] == out else y
        if i in (1, 2, 4, 6):
            stages.append(x)
    return stages


def hrnet(w, x, width):
    x = F.relu(norm(w, "bn1", conv(w, "conv1", x, 64, 3, stride=2)))
    x = F.relu(norm(w, "bn2", conv(w, "conv2", x, 64, 3, stride=2)))
    for b in range(4):
        x = residual(w.at(f"layer1.{b}"), x, 64, 1, 1, True, "3x3")

    def down(part, y, out, relu=True):
        y = norm(part, "1", conv(part, "0", y, out, 3, stride=2))
        return F.relu(y) if relu else y

    part = w.at("transition1.0")
    branches = [F.relu(norm(part, "1", conv(part, "0", x, width, 3))), down(w.at("transition1.1.0"), x, 2 * width)]
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        if stage > 2:
            branches.append(down(w.at(f"transition{stage - 1}.{stage - 1}.0"), branches[-1], width * 2 ** (stage - 1)))
        for m in range(modules):
            part = w.at(f"stage{stage}.{m}")
            for i in range(stage):
                for b in range(4):
                    branches[i] = residual(part.at(f"branches.{i}.{b}"), branches[i], width * 2**i, 1, 1, False, "3x3")
            fused = []
            for i in range(stage):
                total = 0
                for j in range(stage):
                    y, lane = branches[j], part.at(f"fuse_layers.{i}.{j}")
                    if j > i:
                        y = resize(norm(lane, "1", conv(lane, "0", y, width * 2**i)), branches[i])
                    for k in range(i - j):
                        last = k == i - j - 1
                        y = down(lane.at(f"{k}"), y, width * 2 ** (i if last else j), relu=not last)
                    total = total + y
                fused.append(F.relu(total))
            branches = fused
    return [torch.cat([branches[0]] + [resize(b, branches[0]) for b in branches[1:]], 1)]


# Heads --------------------------------------------------------------------------------------------------------------


def separable(w, name, x, out, dilation=1):
    part = w.at(name)
    x = module(part, "depthwise_conv", x, x.shape[1], 3, dilation=dilation, groups=x.shape[1])
    return module(part, "pointwise_conv", x, out)


def deeplab(w, stages, classes, channels, low_level, dilations=(12, 24, 36)):
    deep, fine = stages[-1], stages[0]
    pooled = module(w, "image_pool.1", F.adaptive_avg_pool2d(deep, 1), channels)
    branches = [resize(pooled, deep), module(w, "aspp_modules.0", deep, channels)]
    branches += [separable(w, f"aspp_modules.{i + 1}", deep, channels, d) for i, d in enumerate(dilations)]
    context = module(w, "bottleneck", torch.cat(branches, 1), channels, 3)
    joined = torch.cat([resize(context, fine), module(w, "c1_bottleneck", fine, low_level)], 1)
    features = separable(w, "sep_bottleneck.1", separable(w, "sep_bottleneck.0", joined, channels), channels)
    return conv(w, "conv_seg", features, classes, bias=True), features


def fcn(w, x, classes, channels, k=3, convs=1, join=False):
    y = x
    for i in range(convs):
        y = module(w, f"convs.{i}", y, channels, k)
    if join:
        y = module(w, "conv_cat", torch.cat([x, y], 1), channels, k)
    return conv(w, "conv_seg", y, classes, bias=True)


def ocr(w, stage, soft, classes, channels, key):
    x = module(w, "bottleneck", stage, channels, 3)
    n, c, h, width = x.shape
    regions = torch.einsum("nkp,ncp->nck", soft.flatten(2).softmax(2), x.flatten(2)).unsqueeze(3)
    part = w.at("object_context_block")
    q = module(part, "query_project.1", module(part, "query_project.0", x, key), key).flatten(2)
    k = module(part, "key_project.1", module(part, "key_project.0", regions, key), key).flatten(2)
    v = module(part, "value_project", regions, key).flatten(2)
    share = (torch.einsum("ncp,nck->npk", q, k) / key**0.5).softmax(2)
    context = torch.einsum("npk,nck->ncp", share, v).view(n, key, h, width)
    context = module(part, "out_project", context, channels)
    return conv(w, "conv_seg", module(part, "bottleneck", torch.cat([context, x], 1), channels), classes, bias=True)
