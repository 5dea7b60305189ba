"""One file a form that predictions are handed on in."""
