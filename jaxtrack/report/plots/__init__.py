"""Figures, from matplotlib or as JPEG: one style sheet, one function per figure."""
