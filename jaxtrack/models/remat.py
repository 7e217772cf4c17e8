"""Blocks whose activations are computed again in the backward pass, not stored."""

import contextlib

from flax import linen as nn

from jaxtrack.models.backbones.efficientnet import MBConv
from jaxtrack.models.backbones.googlenet import Inception
from jaxtrack.models.backbones.mobilenet import InvertedResidual
from jaxtrack.models.backbones.resnet import BasicBlock, BottleneckBlock

# Of all backbones.
BLOCKS = (BasicBlock, BottleneckBlock, Inception, InvertedResidual, MBConv)


def recompute(is_on: bool) -> contextlib.AbstractContextManager[None]:
    """Keeps of each trained block of a backbone its input alone, as in Chen et al.

    Training Deep Nets with Sublinear Memory Cost (arXiv:1604.06174), section 4.1: the
    backward pass runs a block forwards once more. Values and gradients stay the same.

    Args:
      is_on: False changes nothing. It holds for what is traced inside the context.
    """
    open_blocks = set()

    def intercept(method, args, kwargs, context):
        block = context.module
        is_own = isinstance(block, BLOCKS) and context.method_name == "__call__"
        if not is_own or block.path in open_blocks or not kwargs.get("train"):
            return method(*args, **kwargs)
        open_blocks.add(block.path)
        try:
            return nn.remat(lambda block, x: block(x, **kwargs))(block, *args)
        finally:
            open_blocks.discard(block.path)

    return nn.intercept_methods(intercept) if is_on else contextlib.nullcontext()
