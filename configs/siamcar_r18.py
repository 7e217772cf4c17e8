"""SiamCAR on ResNet-18: the released recipe, a smaller backbone.

Paper: Guo et al., SiamCAR (arXiv:1911.07241).
Run: jaxtrack train --config=siamcar_r18 --workdir=runs/siamcar_r18 \
         --config.model.pretrained=resnet18.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: the backbone is not the paper's, and its weights expect normalized pixels.
Trains: stem and first stage never, stages 2 to 4 from epoch 10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=resnet18.safetensors, made by
    safetensors.torch.save_file(torchvision.models.resnet18(
        weights="IMAGENET1K_V1").state_dict(), "resnet18.safetensors")
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_r50


def get_config() -> ConfigDict:
    """Returns `siamcar_r50` with the smaller backbone."""
    c = siamcar_r50.get_config()
    c.model.backbone = "resnet18"
    c.model.preprocessing.order = "RGB"  # As for torchvision's weights.
    c.model.preprocessing.mean = (123.675, 116.28, 103.53)
    c.model.preprocessing.scale = (58.395, 57.12, 57.375)
    return c
