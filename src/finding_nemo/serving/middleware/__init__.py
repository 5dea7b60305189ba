"""What every request passes before a route answers it: access, limits, counts."""
