"""How far a prediction can be trusted, and whether a frame is unlike what was seen."""
