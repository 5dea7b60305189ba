"""One image over one connection: addresses, pace, what a server answers, unfinished files."""
