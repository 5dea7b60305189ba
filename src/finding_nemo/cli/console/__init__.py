"""What a person at the terminal sees: messages, notices, ends."""
