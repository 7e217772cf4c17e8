"""Packing: from a dataset's files to a folder of records.

plan (what is packed, in parts) ─► workers (processes) ─► part (one process, one shard)
─► finish (one folder of all parts, with its data card)
"""
