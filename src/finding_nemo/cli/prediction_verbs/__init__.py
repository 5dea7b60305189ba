"""Verbs that predict, and judge or search predictions."""
