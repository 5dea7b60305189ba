"""A trained model on disk, and what it says about itself."""
