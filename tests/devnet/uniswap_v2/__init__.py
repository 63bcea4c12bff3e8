"""Uniswap v2 on the local chain."""
