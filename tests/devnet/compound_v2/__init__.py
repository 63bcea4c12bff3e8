"""Compound v2 on the local chain, over the shared tokens and feeds."""
