"""Prepared images and targets, as a training reads them."""
