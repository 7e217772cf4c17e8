"""SiamCAR on a ResNet in plain PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.twin_frame import Head, Twin
from benchmarks.twin_frame import crop as cut


class Block(nn.Module):
    """A residual block; `sizes` are (kernel, stride, padding, dilation)."""

    def __init__(self, inputs, plan, shortcut):
        """Builds convolutions `plan`, [(features, sizes)], and a shortcut or None."""
        super().__init__()
        for i, (features, sizes) in enumerate(plan, start=1):
            setattr(self, f"conv{i}", nn.Conv2d(inputs, features, *sizes, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(features))
            inputs = features
        self.count, self.downsample = len(plan), shortcut

    def forward(self, x):
        """Adds the shortcut and the convolutions' result."""
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = F.relu(y) if i < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """The dilated ResNet of stride 8."""

    def __init__(self, bottleneck, depths):
        """Builds four stages."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 0, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, depth in enumerate(depths):
            width, dilation = 64 * 2**i, max(1, 2 ** (i - 1))
            outputs = 4 * width if bottleneck else width
            blocks = []
            for block in range(depth):
                first = block == 0
                stride = 2 if first and i == 1 else 1
                d = max(1, dilation // 2) if first else dilation
                spatial = (3, stride, 0 if stride == 2 else d, d)
                if bottleneck:
                    plan = [(width, (1,)), (width, spatial), (outputs, (1,))]
                else:
                    plan = [(width, spatial), (width, (3, 1, dilation, dilation))]
                shortcut = None
                if first and (i > 0 or bottleneck):
                    sizes = spatial if i > 0 else (1,)
                    shortcut = nn.Sequential(
                        nn.Conv2d(inputs, outputs, *sizes, bias=False),
                        nn.BatchNorm2d(outputs),
                    )
                blocks.append(Block(inputs, plan, shortcut))
                inputs = outputs
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))

    def forward(self, image):
        """Returns the maps of stages 2, 3 and 4."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        taps = [self.layer2(self.layer1(x).detach())]
        taps.append(self.layer3(taps[-1]))
        taps.append(self.layer4(taps[-1]))
        return taps


class Level(nn.Module):
    """One level of the neck."""

    def __init__(self, inputs):
        """Builds a 1x1 convolution to 256 channels with its normalization."""
        super().__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, 256, 1, bias=False), nn.BatchNorm2d(256)
        )


class Levels(nn.Module):
    """The neck of the released tracker."""

    def __init__(self, widths):
        """Builds one level a width."""
        super().__init__()
        for i, width in enumerate(widths, start=2):
            setattr(self, f"downsample{i}", Level(width))

    def forward(self, levels, crop):
        """Adjusts each level and crops it."""
        return [
            cut(getattr(self, f"downsample{i}").downsample(x), crop)
            for i, x in enumerate(levels, start=2)
        ]


def correlate_levels(twin, z, x):
    """Depthwise correlation as one grouped convolution a level, then `down`."""

    def correlate(z, x):
        batch, channels = x.shape[:2]
        x = x.reshape(1, batch * channels, *x.shape[2:])
        z = z.reshape(batch * channels, 1, *z.shape[2:])
        r = F.conv2d(x, z, groups=batch * channels)
        return r.reshape(batch, channels, *r.shape[2:])

    return twin.down(torch.cat([correlate(*zx) for zx in zip(z, x, strict=True)], 1))


def released(bottleneck, depths):
    """SiamCAR on a ResNet."""

    def tower():
        layers = []
        for _ in range(4):
            layers += [nn.Conv2d(256, 256, 3, 1, 1), nn.GroupNorm(32, 256), nn.ReLU()]
        return nn.Sequential(*layers)

    widths = (512, 1024, 2048) if bottleneck else (128, 256, 512)
    return Twin(
        ResNet(bottleneck, depths),
        Levels(widths),
        correlate_levels,
        Head((tower(), tower()), 256, 3, 1.0, False),
        cells=7,
        down=nn.ConvTranspose2d(768, 256, 1),
    )
