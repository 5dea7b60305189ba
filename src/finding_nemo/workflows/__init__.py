"""Several jobs in a row: demo, benchmark, a training with its pictures."""
