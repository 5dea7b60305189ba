"""Files written whole, read within limits, locked while written."""
