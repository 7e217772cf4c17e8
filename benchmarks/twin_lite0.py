"""The small tracker on EfficientNet-Lite0 in plain PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.twin_frame import Head, Twin
from benchmarks.twin_frame import crop as cut
from jaxtrack.models.backbones.efficientnet import BLOCKS, FIRST_TRAINED, TAPS


def _same(x, conv):
    """Convolves with TensorFlow's padding, whose odd cell lies below and right."""
    pads = []
    for size, k, s in zip(x.shape[:1:-1], conv.kernel_size, conv.stride, strict=True):
        need = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [need // 2, need - need // 2]
    return conv(F.pad(x, pads) if pads[0] != pads[1] else x)


def _conv_same(inputs, outputs, kernel, stride, groups=1):
    """A convolution for `_same`; at stride 1 it pads by itself."""
    padding = kernel // 2 if stride == 1 else 0
    return nn.Conv2d(
        inputs, outputs, kernel, stride, padding, groups=groups, bias=False
    )


class MBConv(nn.Module):
    """Widen, filter, narrow, add."""

    def __init__(self, inputs, features, kernel, stride, expansion):
        """Builds two or three convolutions with their normalizations."""
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, 1e-3, 0.01)
        self._depthwise_conv = _conv_same(wide, wide, kernel, stride, wide)
        self._bn1 = nn.BatchNorm2d(wide, 1e-3, 0.01)
        self._project_conv = nn.Conv2d(wide, features, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(features, 1e-3, 0.01)
        self.widens, self.adds = expansion > 1, stride == 1 and inputs == features

    def forward(self, x):
        """Maps `[B, C, H, W]`."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        if self._depthwise_conv.stride[0] == 1:
            y = self._depthwise_conv(y)
        else:
            y = _same(y, self._depthwise_conv)
        y = self._bn2(self._project_conv(F.relu6(self._bn1(y))))
        return x + y if self.adds else y


class Lite0(nn.Module):
    """The first eleven blocks, with standardized taps."""

    def __init__(self):
        """Builds the stem and the blocks."""
        super().__init__()
        self._conv_stem = _conv_same(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, 1e-3, 0.01)
        self._blocks, inputs = nn.ModuleList(), 32
        for features, kernel, stride, expansion in BLOCKS:
            self._blocks.append(MBConv(inputs, features, kernel, stride, expansion))
            inputs = features

    def measure(self):
        """Notes mean and deviation of each tap, from the normalizations' ends."""
        mean = var = 0.0
        for i, block in enumerate(self._blocks):
            beta, square = block._bn2.bias.detach(), block._bn2.weight.detach() ** 2
            mean, var = (mean + beta, var + square) if block.adds else (beta, square)
            if i in TAPS:
                a = (var + 1e-3).rsqrt()[:, None, None]
                self.register_buffer(f"scale{i}", a, persistent=False)
                offset = -mean[:, None, None] * a
                self.register_buffer(f"offset{i}", offset, persistent=False)

    def forward(self, image):
        """Returns three maps, of stride 8, 16 and 16."""
        x = F.relu6(self._bn0(_same(image, self._conv_stem)))
        taps = []
        for i, block in enumerate(self._blocks):
            if i == FIRST_TRAINED:
                x = x.detach()
            x = block(x)
            if i in TAPS:
                taps.append(
                    x * getattr(self, f"scale{i}") + getattr(self, f"offset{i}")
                )
        return taps


class Pyramid(nn.Module):
    """Sums 1x1 convolutions at stride 8."""

    def __init__(self):
        """Builds one convolution for stride 8, one for both maps of stride 16."""
        super().__init__()
        self.fine = nn.Conv2d(40, 96, 1)
        self.coarse = nn.Conv2d(80 + 112, 96, 1, bias=False)

    def forward(self, levels, crop):
        """Merges three maps and crops the result."""
        fine, *coarse = levels
        coarse = self.coarse(torch.cat(coarse, 1))
        coarse = F.interpolate(coarse, scale_factor=2, mode="bilinear")
        return cut(self.fine(fine) + coarse, crop)


class Fusion(nn.Module):
    """Weights behind the correlation."""

    def __init__(self):
        """Builds a 1x1 convolution of 64 cosines and 96 search channels."""
        super().__init__()
        self.fuse = nn.Conv2d(96 + 64, 96, 1)
        self.norm = nn.GroupNorm(8, 96)


def correlate_pixels(twin, z, x):
    """Cosine of every template cell with every search cell, beside the search map."""

    def unit(f):
        return f * (f.square().sum(1, keepdim=True) + 1e-6).rsqrt()

    batch, _, height, width = x.shape
    cosines = torch.bmm(unit(z).flatten(2).transpose(1, 2), unit(x).flatten(2))
    r = torch.cat([x, cosines.reshape(batch, -1, height, width)], 1)
    fusion = twin.correlation
    r = r.contiguous(memory_format=torch.channels_last)
    return F.relu(fusion.norm(fusion.fuse(r)))


class LightTower(nn.Module):
    """Depthwise 5x5, 1x1, normalization and ReLU, three times."""

    def __init__(self):
        """Builds the layers."""
        super().__init__()
        for i in range(3):
            depthwise = nn.Conv2d(96, 96, 5, 1, 2, groups=96, bias=False)
            setattr(self, f"depthwise{i}", depthwise)
            setattr(self, f"conv{i}", nn.Conv2d(96, 96, 1))
            setattr(self, f"norm{i}", nn.GroupNorm(8, 96))

    def forward(self, x):
        """Maps `[B, 96, H, W]` to the same shape."""
        for i in range(3):
            x = getattr(self, f"conv{i}")(getattr(self, f"depthwise{i}")(x))
            x = F.relu(getattr(self, f"norm{i}")(x))
        return x


def lite0():
    """The small tracker."""
    return Twin(
        Lite0(),
        Pyramid(),
        correlate_pixels,
        Head((LightTower(), LightTower()), 96, 1, 8.0, True),
        cells=8,
        fusion=Fusion(),
    )
