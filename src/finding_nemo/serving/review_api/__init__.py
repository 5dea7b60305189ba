"""The HTTP API over a review session: frames, dives, suggestions, reviews, exports."""
