"""Morpho Blue on the local chain: isolated markets over the shared tokens and feeds."""
