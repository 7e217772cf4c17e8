"""Datasets on the disk: one reader each, shared by training and evaluation."""
