"""What every protocol file owes to the rest."""

from __future__ import annotations

import dataclasses
import importlib
from collections import Counter
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest

from defirisk.chain.codec import load_events, load_functions
from defirisk.core.adapter import Adapter, Contract, Deployment, MarketAdapter, Proof, Refereed
from defirisk.core.imported import ImportedAdapter
from defirisk.core.plugins import KINDS, adapters
from defirisk.core.row import Row, columns
from defirisk.core.sources import ClaimAdapter, OracleAdapter, VenueAdapter
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.deployments import shipped
from defirisk.resources import resource
from defirisk.store.base_tables import metadata
from tests.conformance.folding import ADDRESS, SUBJECT

EVERY_ADAPTER = pytest.mark.parametrize(
    ("name", "adapter"), [pytest.param(n, a, id=n) for n, a in adapters().items()]
)


def module_of(adapter: Adapter) -> str:
    return type(adapter).__module__


def plain_type(hint: object) -> type:
    """The Python type of a column."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    assert isinstance(plain, type)
    return plain


def test_both_kinds_of_adapters_are_found() -> None:
    assert {"aave-v3", "chainlink"} <= adapters().keys()


@EVERY_ADAPTER
def test_the_name_is_that_of_the_file(name: str, adapter: Adapter) -> None:
    if not module_of(adapter).startswith("defirisk."):
        pytest.skip("other packages lay out their modules as they like")
    *_, kind, file = module_of(adapter).split(".")
    assert adapter.name == name == file.replace("_", "-")
    assert adapter.kind == kind
    assert kind in KINDS
    assert importlib.import_module(module_of(adapter)).ADAPTER is adapter


@EVERY_ADAPTER
def test_it_says_what_it_was_written_from_and_how_far_it_is_proven(
    name: str, adapter: Adapter
) -> None:
    assert adapter.source.strip()
    assert adapter.version >= 1
    if isinstance(adapter, ImportedAdapter):
        assert adapter.proof == "imported"
        return
    kinds = MarketAdapter | OracleAdapter | VenueAdapter | ClaimAdapter
    assert isinstance(adapter, kinds)
    assert isinstance(adapter, Refereed), "nobody can say whether it is right"
    assert adapter.proof in get_args(Proof)


@EVERY_ADAPTER
def test_every_interface_is_there_and_every_event_in_it(name: str, adapter: Adapter) -> None:
    for role, interface in adapter.interfaces.items():
        assert resource("abis", f"{interface.abi}.json").is_file()
        for abi, names in interface.events.items():
            assert len(set(names)) == len(names), role
            assert list(load_events(abi, names)) == list(names)
    assert set(adapter.required_contracts) <= adapter.interfaces.keys()


@EVERY_ADAPTER
def test_no_two_events_of_a_role_share_a_topic(name: str, adapter: Adapter) -> None:
    for role, interface in adapter.interfaces.items():
        contract = Contract(address=ADDRESS, role=role, first_block=0)
        folded = (*interface.events.values(), *interface.notes.values())
        count = sum(len(names) for names in folded)
        assert len(Codecs(adapter).topics([contract])) == count


@EVERY_ADAPTER
def test_every_view_can_be_asked(name: str, adapter: Adapter) -> None:
    contracts = [
        Contract(address=ADDRESS, role=role, first_block=0, subject=SUBJECT)
        for role in adapter.interfaces
    ]
    codecs = Codecs(adapter)
    asked = list(adapter.views(contracts))
    assert bool(asked) == bool(adapter.interfaces), "what is imported has nobody to ask"
    for view in asked:
        assert view.contract in contracts
        abi = adapter.interfaces[view.contract.role].abi
        selector = load_functions(abi, (view.function,))[view.function].selector
        assert codecs.call(view).data.startswith(selector)


@EVERY_ADAPTER
def test_rows_can_be_stored(name: str, adapter: Adapter) -> None:
    assert adapter.rows
    for row_type in adapter.rows:
        assert row_type.table.startswith(name.replace("-", "_") + "_")
        assert row_type.key
        assert set(row_type.key) <= columns(row_type).keys()
        for hint in columns(row_type).values():
            assert hint in (str, bool, int) or get_args(hint)[1] == "256 bit"


@EVERY_ADAPTER
def test_a_row_that_was_never_written_reads_as_its_defaults(name: str, adapter: Adapter) -> None:
    for row_type in adapter.rows:
        key = {k: plain_type(columns(row_type)[k])() for k in row_type.key}
        row: Row = row_type(**key)
        assert row == row_type(**key)
        for field in dataclasses.fields(row):  # type: ignore[arg-type]
            value, hint = getattr(row, field.name), columns(row_type)[field.name]
            assert type(value) is plain_type(hint), f"{row_type.__name__}.{field.name}"
            if field.name not in row_type.key:
                with pytest.raises(dataclasses.FrozenInstanceError):
                    setattr(row, field.name, value)


def test_no_two_adapters_share_a_table() -> None:
    tables = [row_type.table for adapter in adapters().values() for row_type in adapter.rows]
    assert [table for table, count in Counter(tables).items() if count > 1] == []
    base = {"blocks", "raw_logs", "raw_calls", "verified_ranges", "deployments", "tokens"}
    assert base <= metadata.tables.keys()
    assert not base & set(tables)


def test_shipped_deployments_have_names_of_their_own() -> None:
    names = [deployment.name for deployment in shipped()]
    assert len(set(names)) == len(names) > 0
    assert not set(names) & adapters().keys()


@pytest.mark.parametrize("deployment", shipped(), ids=lambda one: one.name)
def test_a_shipped_deployment_names_every_contract_it_needs(deployment: Deployment) -> None:
    adapter = adapters()[deployment.protocol]
    assert set(adapter.required_contracts) <= deployment.contracts.keys()
    assert deployment.first_block > 0
    roots = list(adapter.roots(deployment))
    assert {root.address for root in roots} >= {
        deployment.contracts[role] for role in adapter.required_contracts
    }


def test_every_abi_says_where_it_is_from() -> None:
    folder = resource("abis")
    stated = (folder / "SOURCES.toml").read_text()
    for path in sorted(Path(folder).glob("*.json")):
        assert path.stem in stated, f"{path.name} is not in SOURCES.toml"
