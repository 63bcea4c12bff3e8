"""Fixtures that every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.devnet.fixtures", "tests.fixtures"]

# These machines are shared: how long an example takes says nothing about the code.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
