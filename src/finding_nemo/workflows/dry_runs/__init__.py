"""What the long jobs would do and cost, said before they begin."""
