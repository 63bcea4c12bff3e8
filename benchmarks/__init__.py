"""Measurements of what the product does, as ratios against simpler ways of doing the same."""
