"""Networks that turn an image into feature maps of stride 8."""
