"""Reviews turned at once into the answers to all other frames."""
