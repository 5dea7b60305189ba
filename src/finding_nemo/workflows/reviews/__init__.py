"""Reviews in a training: frames that people reviewed, and reviews that are simulated."""
