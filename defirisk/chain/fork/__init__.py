"""Forks of a live chain on this machine: the real contracts, acted on as whoever has the right."""
