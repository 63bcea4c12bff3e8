"""A local chain with a real Aave v3.6 market and a seeded population, for tests and the demo."""
