"""Annotation files into one data set."""
