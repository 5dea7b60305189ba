"""Names that people type and files hold, each in one table."""
