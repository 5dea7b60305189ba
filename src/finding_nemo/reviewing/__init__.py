"""Reviews of a dive: kept on the disk, and turned into better names at once."""
