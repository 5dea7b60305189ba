"""The ways to divide a data set, one a file, and what they share."""
