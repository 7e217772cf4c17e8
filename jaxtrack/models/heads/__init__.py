"""Networks that turn a response map into raw predictions."""
