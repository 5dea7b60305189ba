"""Frames that the package draws itself."""
