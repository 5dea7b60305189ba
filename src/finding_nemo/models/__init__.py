"""Backbones, networks, heads, and the bundle that carries them."""
