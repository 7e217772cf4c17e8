"""Decoded frames in one memory-mapped file that all loader processes share."""

from jaxtrack.data.bank.choice import Options, open_bank
from jaxtrack.data.bank.footprint import Footprint
from jaxtrack.data.bank.footprint import of_pairs as footprint_of
from jaxtrack.data.bank.source import BankedSource

__all__ = ["BankedSource", "Footprint", "Options", "footprint_of", "open_bank"]
