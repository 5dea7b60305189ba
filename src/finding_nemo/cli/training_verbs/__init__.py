"""Verbs that train, tune, compare and export."""
