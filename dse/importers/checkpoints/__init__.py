"""Files of a transformer's weights: their headers, never the weights themselves."""
