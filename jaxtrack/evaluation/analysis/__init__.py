"""What a checkpoint's maps and settings say beside its scores, as numbers."""
