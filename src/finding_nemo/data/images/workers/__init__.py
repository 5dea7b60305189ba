"""Images decoded in other processes, where the decoder keeps Python's lock."""
