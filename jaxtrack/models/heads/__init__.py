"""Heads: predict classes and boxes from a response map."""
