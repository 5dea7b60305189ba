"""FathomNet's own interface for programs: where images are now, and new training sets."""
