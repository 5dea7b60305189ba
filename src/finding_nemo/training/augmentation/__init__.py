"""Random views of a frame: planned, then rendered."""
