"""A trained network into a bundle: calibration, uncertainty, parity."""
