"""DeepLabv3+ with the auxiliary head in plain PyTorch, for the peers of `armseg bench step` and `armseg bench training`."""

import torch
import torch.nn.functional as F
from torch import nn

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


def conv_norm(cin, cout, k=1, stride=1, dilation=1, groups=1):
    conv = nn.Conv2d(cin, cout, k, stride, dilation * (k // 2), dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


def separable(cin, cout, dilation=1):
    return nn.Sequential(conv_norm(cin, cin, 3, dilation=dilation, groups=cin), conv_norm(cin, cout))


class Block(nn.Module):
    def __init__(self, cin, width, stride, dilation, is_bottleneck):
        super().__init__()
        cout = width * (4 if is_bottleneck else 1)
        if is_bottleneck:
            parts = [conv_norm(cin, width), conv_norm(width, width, 3, stride, dilation), conv_norm(width, cout)]
        else:
            parts = [conv_norm(cin, width, 3, stride, dilation), conv_norm(width, cout, 3)]
        parts[-1] = parts[-1][:2]
        self.body = nn.Sequential(*parts)
        self.shortcut = conv_norm(cin, cout, 1, stride)[:2] if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


class Network(nn.Module):
    """Output stride 8, deep stem, ASPP 1-12-24-36, 512 channels: mmsegmentation's recipe."""

    def __init__(self, backbone, classes):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 32, 3, 2), conv_norm(32, 32, 3), conv_norm(32, 64, 3), nn.MaxPool2d(3, 2, 1))
        is_bottleneck, cin, stages = backbone != "resnet18", 64, []
        for s, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4))):
            width, blocks = 64 * 2**s, []
            for b in range(BLOCKS[backbone][s]):
                own = dilation // 2 if b == 0 and dilation > 1 else dilation
                blocks.append(Block(cin, width, stride if b == 0 else 1, own, is_bottleneck))
                cin = width * (4 if is_bottleneck else 1)
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.pool = conv_norm(cin, 512)
        self.aspp = nn.ModuleList([conv_norm(cin, 512)] + [separable(cin, 512, d) for d in (12, 24, 36)])
        self.project = conv_norm(5 * 512, 512, 3)
        self.low = conv_norm(cin // 8, 48)
        self.decoder = nn.Sequential(separable(560, 512), separable(512, 512), nn.Dropout2d(0.1), nn.Conv2d(512, classes, 1))
        self.auxiliary = nn.Sequential(conv_norm(cin // 2, 256, 3), nn.Dropout2d(0.1), nn.Conv2d(256, classes, 1))

    def forward(self, x):
        features = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        resize = lambda y, like: F.interpolate(y, like.shape[2:], mode="bilinear", align_corners=False)
        pooled = resize(self.pool(F.adaptive_avg_pool2d(x, 1)), x)
        x = self.project(torch.cat([pooled] + [branch(x) for branch in self.aspp], 1))
        x = self.decoder(torch.cat([resize(x, features[0]), self.low(features[0])], 1))
        return x, self.auxiliary(features[2])
