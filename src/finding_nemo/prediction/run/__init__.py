"""A prediction of many frames into one file, that can be stopped and resumed."""
