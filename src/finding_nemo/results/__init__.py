"""Files out: predictions and submissions."""
