"""What the page of a dive shows: its frames, counts, timeline, words and pictures."""
