"""Perpetual Protocol Curie: virtual Uniswap v3 pools, cross margin, an insurance fund."""
