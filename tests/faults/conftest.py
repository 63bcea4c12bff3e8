"""What both suites of seeded runs ask for."""

import pytest

from tests.faults.runs import Stores


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(tmp_path_factory.mktemp("stores"))
