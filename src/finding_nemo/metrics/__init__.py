"""Measures and baselines, in NumPy alone."""
