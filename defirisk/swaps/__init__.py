"""Exact mirrors of AMM arithmetic: one file per curve, pure integers."""
