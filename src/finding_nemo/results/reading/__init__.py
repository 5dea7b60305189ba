"""Predictions read back, from Parquet, JSONL or CSV."""
