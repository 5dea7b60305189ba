"""Which part of an experiment each image belongs to."""
