"""From a bundle and image files to predictions."""
