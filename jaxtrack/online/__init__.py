"""Online learning while tracking: a small classifier, its optimizer and memory."""
