"""Maker on the local chain: its own history, and what accounts do with it."""
