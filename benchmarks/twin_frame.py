"""The frame of the PyTorch twins: what both networks share."""

import itertools

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


class Twin(nn.Module):
    """A Siamese tracker with jaxtrack's methods."""

    def __init__(self, backbone, neck, correlate, head, cells, down=None, fusion=None):
        """Joins the parts; those that are None have no weights under their name."""
        super().__init__()
        self.backbone, self.neck, self.cells = backbone, neck, cells
        if down is not None:
            self.down, self.car_head = down, head
        else:
            self.correlation, self.head = fusion, head
        self.correlate = correlate

    def encode_template(self, z_image):
        """Encodes the target's crop."""
        return self.neck(self.backbone(z_image), crop=self.cells)

    def encode_search(self, x_image):
        """Encodes the search crop."""
        return self.neck(self.backbone(x_image), crop=None)

    def predict(self, z, x):
        """Predicts `cls`, `ltrb` and `centerness`, `[B, C, H, W]`."""
        head = self.car_head if hasattr(self, "car_head") else self.head
        return head(self.correlate(self, z, x))

    def forward(self, z_image, x_image):
        """Predicts from two crops."""
        return self.predict(self.encode_template(z_image), self.encode_search(x_image))


def fold(module):
    """Folds each normalization into the convolution registered just before it."""
    children = list(module.named_children())
    for (name, child), (next_name, following) in itertools.pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, following))
            setattr(module, next_name, nn.Identity())
    for _, child in children:
        fold(child)


def crop(x, cells):
    """Cuts the central cells out."""
    if cells is None:
        return x
    top, left = (x.shape[2] - cells) // 2, (x.shape[3] - cells) // 2
    return x[:, :, top : top + cells, left : left + cells]


class Head(nn.Module):
    """Two towers, three outputs."""

    def __init__(self, towers, channels, kernel, unit, quality_beside_box):
        """Takes a pair of towers; outputs have `kernel` cells a side."""
        super().__init__()
        self.cls_tower, self.bbox_tower = towers
        sizes = (kernel, 1, kernel // 2)
        self.cls_logits = nn.Conv2d(channels, 2, *sizes)
        self.bbox_pred = nn.Conv2d(channels, 4, *sizes)
        self.centerness = nn.Conv2d(channels, 1, *sizes)
        self.unit, self.quality_beside_box = unit, quality_beside_box

    def forward(self, r):
        """Predicts the raw maps."""
        cls, box = self.cls_tower(r), self.bbox_tower(r)
        return {
            "cls": self.cls_logits(cls),
            "ltrb": self.unit * self.bbox_pred(box).exp(),
            "centerness": self.centerness(box if self.quality_beside_box else cls),
        }
