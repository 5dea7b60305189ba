"""What can be trained, by name, with its settings."""
