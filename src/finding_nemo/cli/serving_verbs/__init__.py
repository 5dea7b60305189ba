"""Verbs that run a server: `serve`, `review`."""
