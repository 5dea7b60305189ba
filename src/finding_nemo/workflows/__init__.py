"""Several jobs in a row: demo, compare, a training with its pictures."""
