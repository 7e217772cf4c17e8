"""Experiments: many trainings behind one answer, with its uncertainty."""
