"""From predictions and truth to scores with their baselines."""
