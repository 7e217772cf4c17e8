"""Experiments: comparisons of many trainings, with their uncertainty."""
