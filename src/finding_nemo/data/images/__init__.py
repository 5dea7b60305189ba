"""Frames from files and videos into pixels."""
