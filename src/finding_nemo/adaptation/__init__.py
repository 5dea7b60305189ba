"""A few frames that a person looked at, and better predictions of the rest of their dives."""
