"""Files of annotation tools and archives, each read into frames, and frames into a data set."""
