"""Work in other processes of this program, asked over pipes."""
