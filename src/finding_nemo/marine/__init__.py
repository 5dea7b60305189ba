"""What the animals are called in the world: accepted names, ranks and lineages."""
