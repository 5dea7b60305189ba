"""What every layer knows: errors, records, categories, settings, provenance."""
