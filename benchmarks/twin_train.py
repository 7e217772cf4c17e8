"""Training steps in PyTorch, with jaxtrack's loss, clipping, optimizer and averages."""

import torch
from torch.nn import functional as F  # noqa: N812

from benchmarks import twin
from jaxtrack import trackers
from jaxtrack.models.backbones import param_group


class TwinTrainer:
    """Trains the twin of a network as the settings say, at the peak learning rate."""

    def __init__(self, config, variables, *, train_backbone, is_half=False):
        """Builds network and optimizer, on the GPU if there is one."""
        self._config, self._is_half = config, is_half
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        network = twin.build(config, variables, frozen=not train_backbone)
        self._network = network.to(self._device)
        self._network.neck.train()
        if train_backbone:
            self._thaw()
        groups = [
            {"params": [p for n, p in self._parameters() if "backbone" not in n]},
            {
                "params": [p for n, p in self._parameters() if "backbone" in n],
                "lr": config.optimizer.lr * config.optimizer.backbone_lr_factor,
            },
        ]
        self._trained = [p for group in groups for p in group["params"]]
        self._optimizer = self._make_optimizer([g for g in groups if g["params"]])
        self._ema = [p.detach().clone() for p in self._trained]
        geometry = trackers.network_of(config).geometry
        line = geometry.offset + geometry.stride * torch.arange(
            geometry.response_size, device=self._device
        )
        self._points = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)

    def _thaw(self):
        """Trains those parts of the backbone that jaxtrack trains."""
        for name, part in self._network.backbone.named_children():
            blocks = part.named_children() if name == "_blocks" else [(name, part)]
            for number, block in blocks:
                own = f"block{number}" if name == "_blocks" else name.lstrip("_")
                is_trained = param_group(("backbone", own)) == "backbone"
                block.requires_grad_(is_trained).train(is_trained)

    def _parameters(self):
        """Yields what is trained."""
        return (p for p in self._network.named_parameters() if p[1].requires_grad)

    def _make_optimizer(self, groups):
        """Builds the optimizer that the settings name."""
        c = self._config
        if c.optimizer.kind == "sgd":
            options = {
                "momentum": c.optimizer.momentum,
                "weight_decay": c.optimizer.weight_decay,
            }
            return torch.optim.SGD(groups, c.optimizer.lr, **options)
        betas = (c.optimizer.momentum, c.optimizer.adam_b2)
        return torch.optim.AdamW(
            groups, c.optimizer.lr, betas, weight_decay=c.optimizer.weight_decay
        )

    def compile(self):
        """Has the network compiled at its next step (`torch.compile`)."""
        self._network.compile()

    def step(self, batch):
        """Takes one step; `batch` is jaxtrack's. Returns the loss before it."""
        config, loss = self._config, self._backward(batch)
        torch.nn.utils.clip_grad_norm_(self._trained, config.optimizer.clip_norm)
        self._optimizer.step()
        if config.optimizer.ema_decay:
            with torch.no_grad():
                torch._foreach_lerp_(
                    self._ema, self._trained, 1 - config.optimizer.ema_decay
                )
        return float(loss.detach())

    def gradients(self, batch):
        """Returns the loss and, by name, its derivatives by what is trained."""
        loss = self._backward(batch)
        found = {n: p.grad.cpu().numpy() for n, p in self._parameters()}
        return float(loss.detach()), found

    def _backward(self, batch):
        """Derives the loss by every parameter, and returns it."""
        config = self._config
        tensors = {k: torch.as_tensor(v, device=self._device) for k, v in batch.items()}
        images = (self._prepare(tensors[name]) for name in ("z_image", "x_image"))
        with torch.autocast(self._device, torch.bfloat16, enabled=self._is_half):
            outputs = self._network(*images)
        outputs = {name: value.float() for name, value in outputs.items()}
        loss = siamcar_loss(
            outputs,
            tensors["xyxy"],
            tensors["is_positive"],
            points=self._points,
            config=config,
        )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss

    def _prepare(self, image):
        """Makes RGB bytes `[B, H, W, 3]` what the network expects, channels second."""
        p = self._config.model.preprocessing
        image = image.float()
        image = image.flip(-1) if p.order == "BGR" else image
        mean, scale = (torch.tensor(v, device=image.device) for v in (p.mean, p.scale))
        return ((image - mean) / scale).permute(0, 3, 1, 2)


def siamcar_loss(outputs, xyxy, is_positive, *, points, config):
    """Computes `jaxtrack.trackers.siamcar.siamcar_loss`; every target is a real box."""
    c = config
    maps = {name: value.permute(0, 2, 3, 1) for name, value in outputs.items()}
    box = xyxy[:, None, None, :]
    center, half = (
        (box[..., :2] + box[..., 2:]) / 2,
        (box[..., 2:] - box[..., :2]) / 2,
    )
    distance = (points - center).abs()
    reach = (c.labels.positive_size * half).clamp(min=c.labels.positive_min_half)
    usable = is_positive[:, None, None]
    positive = (distance < reach).all(-1) & usable
    negative = ~positive
    if c.labels.ignore_inside:
        negative &= ~((distance < half).all(-1) & usable)

    difference = maps["cls"][..., 1] - maps["cls"][..., 0]
    losses = F.softplus(torch.where(positive, -difference, difference))
    cls = c.loss.cls_weights[0] * _mean(losses, positive)
    cls = cls + c.loss.cls_weights[1] * _mean(losses, negative)
    if c.loss.hard_negatives:
        hardest = torch.where(negative, losses, -1.0).flatten(1)
        hardest = hardest.topk(c.loss.hard_negatives, dim=1).values
        cls = cls + c.loss.cls_weights[2] * _mean(hardest.clamp(min=0), hardest >= 0)

    target = torch.cat([points - box[..., :2], box[..., 2:] - points], -1)
    ltrb, target = maps["ltrb"][positive], target[positive]
    iou, giou, smoothed = _overlaps(ltrb, target)
    centerness = _centerness(target)
    reg = 1 - giou if c.loss.regression == "giou" else smoothed
    weight = centerness if c.loss.centerness_weighted else torch.ones_like(centerness)
    reg = (weight * reg).sum() / weight.sum().clamp(min=1e-9)
    goal = centerness if c.loss.quality == "centerness" else iou.detach()
    logits = maps["centerness"][..., 0][positive]
    quality = F.binary_cross_entropy_with_logits(logits, goal)
    w = c.loss.weights
    return w[0] * cls + w[1] * reg + w[2] * quality


def _mean(values, mask):
    """Returns the mean where the mask is true."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp(min=1)


def _area(ltrb):
    """Measures boxes given by distances to their sides."""
    return (ltrb[:, 0] + ltrb[:, 2]) * (ltrb[:, 1] + ltrb[:, 3])


def _overlaps(ltrb, target):
    """Returns IoU, GIoU and -ln of the smoothed IoU of boxes around one point."""
    intersection = _area(torch.minimum(ltrb, target))
    union = _area(ltrb) + _area(target) - intersection
    hull = _area(torch.maximum(ltrb, target))
    iou = intersection / union
    smoothed = -torch.log((intersection + 1) / (union + 1))
    return iou, iou - (hull - union) / hull, smoothed


def _centerness(ltrb):
    """Returns how central points inside their boxes lie."""
    low = torch.minimum(ltrb[:, :2], ltrb[:, 2:])
    high = torch.maximum(ltrb[:, :2], ltrb[:, 2:])
    return (low / high).prod(-1).clamp(min=0).sqrt()
