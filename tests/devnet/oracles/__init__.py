"""Price sources beside the feeds of the lending markets: averages, caps, shares, mistakes."""
