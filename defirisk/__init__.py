"""defirisk: what breaks on-chain, by how much, and what would help."""

__version__ = "0.1.0"
