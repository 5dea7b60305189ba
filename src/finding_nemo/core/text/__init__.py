"""Text that screens, tables and JSON can hold."""
