"""What a recipe trains: network, examples and loss, put together."""
