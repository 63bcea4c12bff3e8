"""Perpetual futures: one file or folder per protocol."""
