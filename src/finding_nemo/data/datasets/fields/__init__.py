"""The fields of annotation files, each read and checked."""
