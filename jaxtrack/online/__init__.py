"""Learning while tracking: a small classifier, its optimiser and its memory."""
