"""Price impact in float64: what a sale does to venues, over many scenarios at once."""
