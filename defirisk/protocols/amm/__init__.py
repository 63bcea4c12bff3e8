"""Exchanges whose prices follow from what their pools hold."""
