"""Curve's StableSwap on the local chain."""
