"""Losses, optimizers, averages of weights: what moves the weights."""
