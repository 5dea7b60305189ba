"""Whether the files of a data set are whole, and which are alike."""
