"""Verbs on data sets: drawn, inspected, split."""
