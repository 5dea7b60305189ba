"""Choices that a training makes by itself, each with its reason."""
