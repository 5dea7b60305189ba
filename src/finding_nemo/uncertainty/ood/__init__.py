"""How unlike the training images an image is: every score is higher further out, and continuous."""
