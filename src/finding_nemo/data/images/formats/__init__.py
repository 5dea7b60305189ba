"""What is peculiar to one file format."""
