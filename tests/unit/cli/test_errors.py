"""What is typed wrongly is answered in two lines, and the store stays as it is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import CommandLine

SHOCK = ("--shock", "price:WETH=-40%")
LAST = 100_000_000


@pytest.fixture(scope="module")
def folder(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the indexed demo chain as its store; no byte of it may change."""
    folder = tmp_path_factory.mktemp("errors")
    path = shutil.copy(demo_database, folder / "defirisk.db")
    before = Path(path).read_bytes()
    yield folder
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("repot",), "no such command 'repot': did you mean report"),
        (("stress", "--shok", "x"), "No such option"),
        (("stress",), "nothing to stress"),
        (("stress", *SHOCK, "--gas", "5"), "--gas is a setting of the cascade: add --cascade"),
        (("stress", *SHOCK, "--cascade", "--recovery", "2"), "2.0 is not in the range"),
        (("stress", *SHOCK, "--cascade", "--slices", "x"), "'x' is not a valid"),
        (("stress", "--reverse", "bad_debt>1e6"), "'bad_debt': did you mean bad_debt_usd"),
        (("stress", "--reverse", "bad_debt_usd>much"), "type for example 'bad_debt_usd>1e6'"),
        (("stress", "--reverse", "bad_debt_usd>1e999"), "is beyond any budget"),
        (("stress", "--reverse", "bad_debt_usd=1"), "is no budget"),
        (("stress", "--reverse", ""), "is no budget"),
        (("stress", "--reverse", "rounds>3"), "liquidations are played: add --cascade"),
        (("stress", "--reverse", "bad_debt_usd>1", "--grid"), "only --shock can stand beside it"),
        (("stress", "--shock", "history:none.csv"), "none.csv cannot be read"),
        (("stress", "--grid", "--shock", "history:none.csv"), "none.csv cannot be read"),
        (("stress", *SHOCK, "--format", "xml"), "'xml' is not one of"),
        (("stress", *SHOCK, "--block", "x"), "'x' is no block"),
        (("stress", *SHOCK, "aave-v4"), "nothing called 'aave-v4' is indexed: did you mean aave"),
        (("stress", *SHOCK, "--chain", "etherium"), "did you mean ethereum"),
        (("stress", *SHOCK, "--chain", "base"), "nothing that was asked for is indexed on chain"),
        (("stress", *SHOCK, "--scenarios", "none.csv"), "'none.csv' does not exist"),
        (("positions",), "Missing argument 'PROTOCOL'"),
        (("positions", "aave-v3", "--top", "0"), "0 is not in the range"),
        (("positions", "aave-v3", "--account", "0x12"), "0x12 holds nothing in aave-v3"),
        (("positions", "chainlink"), "nobody's positions in chainlink are known"),
        (("report", "protcol", "aave-v3"), "unknown report 'protcol': did you mean protocol?"),
        (("report", "protocol", "aav"), "nothing called 'aav' is indexed: did you mean aave"),
        (("report", "protocol"), "a report on a protocol needs a NAME"),
        (("report", "protocol", "aave-v3", "--format", "pdf"), "'pdf' is not one of"),
        (("list", "protcols"), "'protcols' is not one of"),
        (("list",), "Missing argument"),
        (("verify", "--sample", "0"), "0 is not in the range"),
        (("verify", "--timeout", "0"), "0.0 is not in the range"),
        (("verify",), "no node to ask"),
        (("index", "aave-v3"), "no node to ask"),
        (("index", "aave-v3", "--chain", "base"), "no node is configured for chain 'base'"),
        (("status", "--db", "nonsense"), "is no database address"),
        (("status", "--db", "sqlite:///none.db"), "there is no store at sqlite:///none.db"),
        (("demo", "-o", "defirisk.db"), "is a file"),
    ],
)
def test_wrong_use_is_answered_with_what_to_type(
    cli: CommandLine, folder: Path, words: tuple[str, ...], says: str
) -> None:
    assert says in cli.refused(*words, folder=folder)


@pytest.mark.parametrize(
    ("shock", "says"),
    [
        ("", "names no kind"),
        ("WETH=-40%", "names no kind"),
        ("pric:WETH=-40%", "unknown shock 'pric': did you mean price?"),
        (":WETH=-40%", "names no kind"),
        ("price:", "names no target"),
        ("price:=-40%", "names no target"),
        ("price:WETH", "is neither a change nor a price"),
        ("price:WETH=", "is neither a change nor a price"),
        ("price:WETH=40%", "is neither a change nor a price"),
        ("price:WETH=-40", "is neither a change nor a price"),
        ("price:WETH=-140%", "a fall of more than 100 %"),
        ("price:WETH=nan", "is neither a change nor a price"),
        ("price:WETH=1e9", "is neither a change nor a price"),
        ("price:WETH=+99999999999999999%", "mistyped?"),
        ("price:WEHT=-40%", "unknown asset 'WEHT': did you mean WETH"),
        ("price:0x1234567=-40%", "unknown asset '0x1234567'"),
        ("price:\x1b[31mWETH=-40%", "unknown asset"),
        ("depeg:WETH=0.9", "not near a dollar: use price:"),
        ("depeg:USDC=-10%", "is not a price in units of the peg"),
        ("oracle:WETH@aave-v2=+30%", "unknown deployment 'aave-v2': did you mean aave"),
        ("oracle:WETH@=+30%", "unknown deployment ''"),
        ("oracle:WETH=1200", "is not a change in percent"),
        ("price:" + "A" * 5000 + "=-40%", "AAA…"),
    ],
)
def test_a_malformed_shock_is_answered_with_an_example(
    cli: CommandLine, folder: Path, shock: str, says: str
) -> None:
    said = cli.refused("stress", "--shock", shock, folder=folder)
    assert says in said
    assert len(said) < 1100
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the first line must be name,shock and is nothing"),
        ("shock\nprice:WETH=-40%", "the first line must be name,shock"),
        ("name,shock", "holds no scenario"),
        ("name,shock\ncrash", "line 2: needs a name and a shock"),
        ("name,shock\ncrash,", "line 2: needs a name and a shock"),
        ("name,shock\n,price:WETH=-40%", "line 2: needs a name and a shock"),
        ("name,shock\ncrash,price:WETH=-40%,more", "line 2: needs a name and a shock"),
        ("name,shock\ncrash,price:WEHT=-40%", "did you mean WETH"),
        ("name,shock\ncrash,price:WETH=\0", ""),
        ("\xff", "is no CSV file"),
    ],
)
def test_a_scenario_file_is_read_strictly(
    cli: CommandLine, folder: Path, text: str, says: str
) -> None:
    file = cli.folder / "s.csv"
    file.write_bytes(text.encode("latin-1"))
    assert says in cli.refused("stress", "--scenarios", str(file), folder=folder)


def test_a_block_that_is_not_stored_is_told_from_one_that_is_too_new(
    cli: CommandLine, folder: Path
) -> None:
    for command in (
        ("positions", "aave-v3"),
        ("report", "protocol", "aave-v3"),
        ("stress", *SHOCK),
    ):
        said = cli.refused(*command, "--block", str(LAST), folder=folder)
        assert f"block {LAST} is not indexed yet, the store ends at" in said
        said = cli.refused(*command, "--block", "2", folder=folder)
        assert "block 2 holds no log of what is indexed" in said
        assert "--block -1" not in cli.refused(*command, "--block", "-1", folder=folder)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("/nowhere/at/all.json", "cannot be written: No such file or directory"),
        (".", "is a directory"),
        ("report.xyz", ".xyz says no format"),
    ],
)
def test_a_file_that_cannot_be_written_is_said(
    cli: CommandLine, folder: Path, output: str, says: str
) -> None:
    words = ("report", "protocol", "aave-v3", "-o", output)
    assert says in cli.refused(*words, folder=folder)
    assert [path.name for path in folder.iterdir()] == ["defirisk.db"]


def test_a_database_of_a_newer_version_is_not_touched(
    cli: CommandLine, demo_database: Path
) -> None:
    path = Path(shutil.copy(demo_database, cli.folder / "defirisk.db"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    before = path.read_bytes()
    for words in (("status",), ("positions", "aave-v3"), ("stress", *SHOCK), ("verify",)):
        said = cli.refused(*words)
        assert "was written by a newer defirisk" in said
        assert "pip install --upgrade defirisk" in said
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_not_touched(cli: CommandLine) -> None:
    path = cli.folder / "notes.txt"
    path.write_text("dear diary\n" * 100)
    before = path.read_bytes()
    said = cli.refused("status", "--db", f"sqlite:///{path}")
    assert "cannot be opened: file is not a database" in said
    assert path.read_bytes() == before


def test_an_empty_folder_is_answered_with_what_to_do_first(cli: CommandLine) -> None:
    for words in (("status",), ("positions", "aave-v3"), ("stress", *SHOCK), ("verify",)):
        assert "index something first" in cli.refused(*words)
    assert not list(cli.folder.iterdir())


def test_debug_shows_the_traceback_wherever_it_is_put(cli: CommandLine, folder: Path) -> None:
    from defirisk.core.errors import UsageError

    for words in (("--debug", "report", "protcol", "x"), ("report", "protcol", "x", "--debug")):
        with pytest.raises(UsageError, match="unknown report"):
            cli(*words, folder=folder)


@pytest.mark.nightly
def test_the_demo_can_be_run_twice_beside_a_store_of_ones_own(cli: CommandLine, site: Path) -> None:
    shutil.copytree(site, cli.folder, dirs_exist_ok=True)  # the first run
    (cli.folder / "defirisk.db").write_text("not to be lost")
    ran = cli("demo", "-o", ".")
    assert ran.code == 0
    assert "defirisk positions aave-v3 --db sqlite:///demo.db" in ran.err
    assert cli("positions", "aave-v3", "--db", "sqlite:///demo.db").code == 0
    assert (cli.folder / "defirisk.db").read_text() == "not to be lost"
