"""Where and when a frame was filmed, from whatever file says so."""
