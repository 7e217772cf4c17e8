"""Packing: from the files of a dataset to a folder of records.

plan (the work, in parts) ─► workers (processes) ─► part (one process, one shard)
─► finish (one folder of all parts, with its data card)
"""
