"""Files in: annotations, dives, images, transforms, splits, drawn frames."""
