"""The first Aave v3 on the local chain, over the shared tokens and feeds."""
