"""What adaptation reads and writes: reviews, predictions with features, adapted predictions."""
