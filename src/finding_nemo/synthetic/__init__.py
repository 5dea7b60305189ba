"""Deep-sea frames drawn from nothing, so that everything runs without data or network."""
