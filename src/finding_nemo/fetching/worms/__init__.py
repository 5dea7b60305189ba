"""The World Register of Marine Species asked for names, politely."""
