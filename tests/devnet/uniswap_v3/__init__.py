"""Uniswap v3 on the local chain."""
