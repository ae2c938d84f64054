"""Branch and bound over the tile sizes of a layer."""
