"""What is read of a Liquity v1, and since when it counts."""

from __future__ import annotations

from typing import Any

from defirisk.core.adapter import Contract, FeedWanted, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row
from defirisk.protocols.cdp.liquity_v1 import ADAPTER
from defirisk.protocols.cdp.liquity_v1.rows import WAD, SystemParameters
from tests.unit.protocols.liquity_v1_sample import BLOCK, MAIN, MAIN_FEED, MANAGER, PARAMS
from tests.unit.protocols.rows_in_memory import RowsInMemory


class Written(RowsInMemory):
    """Remembers how parameters were written."""

    def __init__(self, *rows: Row) -> None:
        self.how: list[str] = []
        super().__init__(*rows)

    def put(self, row: Row) -> None:
        self.how.append("put")
        super().put(row)

    def amend(self, row: Row) -> None:
        super().put(row)
        self.how.append("amended")


def observe(state: Written, function: str, said: Any, role: str = "trove_manager") -> list[str]:
    address, subject = (MANAGER, "") if role == "trove_manager" else (PARAMS, MANAGER)
    contract = Contract(address=address, role=role, first_block=0, subject=subject)
    state.how.clear()
    ADAPTER.observe(View(contract, function), None if said is None else (said,), BLOCK, state)
    return list(state.how)


def test_a_parameter_was_always_so_until_another_is_read() -> None:
    state = Written()

    assert observe(state, "MCR", 11 * WAD // 10) == ["amended"]
    assert observe(state, "MCR", 11 * WAD // 10) == []
    assert observe(state, "MCR", 12 * WAD // 10) == ["put"]
    assert observe(state, "PERCENT_DIVISOR", 200, "base_params") == ["amended"]
    assert observe(state, "LUSD_GAS_COMPENSATION", None) == []
    assert observe(state, "ZUSD_GAS_COMPENSATION", 20 * WAD) == ["amended"]
    assert state.get(SystemParameters, MANAGER) == SystemParameters(
        trove_manager=MANAGER,
        debt_name="ZUSD",
        mcr_wad=12 * WAD // 10,
        percent_divisor=200,
        gas_compensation_raw=20 * WAD,
    )


def test_views_reveal_the_parameters_and_the_feed() -> None:
    manager = Contract(address=MANAGER, role="trove_manager", first_block=5)
    external = Contract(address=MAIN, role="external_price_feed", first_block=5)
    found = [
        *ADAPTER.discover_view(View(manager, "liquityBaseParams"), (PARAMS,)),
        *ADAPTER.discover_view(View(external, "priceAggregator"), (MAIN_FEED,)),
        *ADAPTER.discover_view(View(external, "priceAggregator"), (ZERO_ADDRESS,)),
        *ADAPTER.discover_view(View(external, "priceAggregator"), None),
        *ADAPTER.discover_view(View(manager, "MCR"), (WAD,)),
    ]

    assert found == [
        Contract(address=PARAMS, role="base_params", first_block=5, subject=MANAGER),
        FeedWanted(address=MAIN_FEED, first_block=5),
    ]
