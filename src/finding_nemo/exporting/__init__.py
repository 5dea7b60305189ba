"""Predictions and reviews handed on, in the forms that archives and annotation tools take."""
