"""Files of ours checked against their formats, all faults at once."""
