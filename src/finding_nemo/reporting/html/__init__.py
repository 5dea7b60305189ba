"""Pages: one file each that needs no network."""
