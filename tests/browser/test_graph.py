"""The picture of the graph: filtered, clicked, walked by keys, and deaf to what names say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defirisk.graph.build import compose
from defirisk.graph.measures import measures
from defirisk.reports.graph import report
from defirisk.reports.render import render
from tests.browser.looking import DESKTOP, MEASURE, NASTY, PHONE, SIZES, Seen, Size, opened
from tests.unit.graph import composed
from tests.unit.reports.sample import RUN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

NAME = "[...document.querySelectorAll('.dot')].map(dot => dot.getAttribute('aria-label'))"
DIM = "dots => dots.map(dot => [dot.getAttribute('aria-label'), +getComputedStyle(dot).opacity])"
UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}


@pytest.fixture(scope="module")
def graph(site: Path) -> dict[str, Any]:
    """What `defirisk graph --format json` says of the same store."""
    command = [sys.executable, "-m", "defirisk", "graph", "--format", "json"]
    done = subprocess.run(
        [*command, "--db", f"sqlite:///{site / 'demo.db'}"], check=True, capture_output=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(params=SIZES.values(), ids=list(SIZES))
def page(request: pytest.FixtureRequest, browser: Browser, site: Path) -> Iterator[Page]:
    with opened(browser, site / "graph.html", request.param) as (found, seen):
        yield found
    assert seen.messages == []
    assert len(seen.requests) == 1


def names(page: Page) -> list[str]:
    found: list[str] = page.evaluate(NAME)
    return found


def dollars(name: str) -> float:
    text = name.rpartition("$")[2]
    return float(text.rstrip("KMB")) * UNITS.get(text[-1], 1.0)


def counted(page: Page) -> str:
    return page.locator(".counted").text_content() or ""


def dot(page: Page, start: str) -> Locator:
    return page.locator(f".dot[aria-label^='{start}']")


def press(page: Page, one: Locator, aside: float = 0) -> None:
    """Where the node is drawn, or so many pixels to its right, as a mouse or a finger would."""
    one.evaluate("dot => dot.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box = one.locator("path").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2 + aside, box["y"] + box["height"] / 2)


def test_kinds_are_hidden_and_shown(page: Page) -> None:
    before = names(page)
    owners = [name for name in before if ", owner, " in name]
    assert owners
    page.locator(".kinds label", has_text="owner").click()
    assert names(page) == [name for name in before if name not in owners]
    assert counted(page).startswith(f"{len(before) - len(owners)} nodes and ")
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(f"document.querySelectorAll('.dot').length === {len(before)}")


def test_a_name_is_looked_for_also_among_the_small(page: Page, graph: dict[str, Any]) -> None:
    page.get_by_label("Name or address").fill("yweth")
    found = {node["label"] for node in graph["nodes"] if "yweth" in f"{node['label']}".casefold()}
    assert found
    assert {name.partition(", ")[0] for name in names(page)} >= found
    small = min(
        (node for node in graph["nodes"] if node["kind"] == "owner"),
        key=lambda node: node["value_usd"] or 0.0,
    )
    assert not any(name.startswith(small["label"]) for name in names(page))
    page.get_by_label("Name or address").fill(small["id"].partition(":")[2])
    assert [name.partition(", ")[0] for name in names(page)] == [small["label"].partition(", ")[0]]
    page.get_by_label("Name or address").fill("no such thing")
    assert names(page) == []
    assert counted(page) == "No node is like that."


def test_less_than_the_least_dollars_is_hidden(page: Page) -> None:
    before = names(page)
    page.get_by_label("At least").select_option("$1M")
    after = names(page)
    assert 0 < len(after) < len(before)
    assert after == [name for name in before if "$" in name and dollars(name) >= 1e6]


def test_what_stands_out_alone_and_all_there_is(page: Page, graph: dict[str, Any]) -> None:
    page.get_by_label("only what stands out").check()
    assert names(page)
    assert page.locator(".dot").count() == page.locator(".dot.marked").count()
    page.get_by_label("only what stands out").uncheck()
    page.get_by_label("small ones, too").check()
    assert len(names(page)) == len(graph["nodes"])


def test_a_click_says_all_of_a_node_and_dims_what_it_is_not_tied_to(
    page: Page, graph: dict[str, Any]
) -> None:
    (node,) = (one for one in graph["nodes"] if one["label"] == "vault amUSDC")
    ties = [one for one in graph["edges"] if node["id"] in (one["source"], one["target"])]
    labels = {one["id"]: one["label"] for one in graph["nodes"]}
    near = {labels[end] for one in ties for end in (one["source"], one["target"])}

    press(page, dot(page, "vault amUSDC,"))
    panel = page.locator(".chosen")
    assert panel.locator("h3 span").text_content() == "vault amUSDC"
    assert panel.locator("h4").text_content() == f"Its {len(ties)} edges"
    assert {*panel.locator("li button span").all_text_contents()} == near - {node["label"]}
    facts = dict(
        zip(
            panel.locator("dt").all_text_contents(),
            panel.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert facts["kind"] == "vault"
    lost = graph["measures"]["bad_allocations"][node["id"]]
    assert 0.01 < lost < 0.99
    assert facts["Lost by vaults where they lent"] == f"{lost:.1%}".replace("%", " %")
    for name, opacity in page.locator(".dot").evaluate_all(DIM):
        tied = any(name.startswith(f"{label},") for label in near)
        assert opacity == 1 if tied else opacity < 0.3, name
    assert page.locator(".line.tied").count() > 0
    assert page.evaluate(MEASURE)["overlaps"] == 0

    panel.locator("li button").first.click()
    hopped = panel.locator("h3 span").text_content()
    assert hopped in near
    assert hopped != "vault amUSDC"
    panel.get_by_role("button", name="Let go").click()
    assert {opacity for _, opacity in page.locator(".dot").evaluate_all(DIM)} == {1}
    assert panel.locator("h3").text_content() == "The largest of these"


def test_a_node_beyond_the_picture_is_drawn_when_it_is_chosen(page: Page) -> None:
    press(page, dot(page, "vault amUSDC,"))
    drawn = {name.partition(", ")[0] for name in names(page)}
    page.get_by_label("small ones, too").check()
    hidden = next(
        one for one in names(page) if ", owner, " in one and one.split(",")[0] not in drawn
    )
    page.get_by_label("small ones, too").uncheck()
    page.get_by_label("Name or address").fill(hidden.split(",")[0].split("…")[0])
    page.locator(f".dot[aria-label='{hidden}']").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name or address").fill("")
    assert hidden in names(page)
    assert page.locator(".dot[aria-pressed=true]").get_attribute("aria-label") == hidden


def test_keys_alone_walk_choose_and_let_go(page: Page) -> None:
    page.get_by_role("button", name="Show all").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label')"
    first = page.evaluate(focused)
    assert first in names(page)
    walked = {first}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
        walked.add(page.evaluate(focused))
    assert len(walked) >= 4
    assert walked <= set(names(page))
    page.keyboard.press("Enter")
    chosen = page.evaluate(focused)
    assert chosen.startswith(f"{page.locator('.chosen h3 span').text_content()},")
    assert page.locator(".dot[aria-pressed=true]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".dot[aria-pressed=true]").count() == 0
    assert page.evaluate(focused) == chosen


def test_a_finger_beside_a_node_means_it(browser: Browser, site: Path) -> None:
    with opened(browser, site / "graph.html", PHONE) as (page, _):
        page.get_by_label("Name or address").fill("curve")
        press(page, dot(page, "curve-devnet,"), aside=18)
        assert page.locator(".chosen h3 span").text_content() == "curve-devnet"


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
def test_names_of_strangers_are_only_text(browser: Browser, tmp_path: Path, size: Size) -> None:
    made = compose(composed.book(symbols={"WETH": NASTY}))
    path = tmp_path / "graph.html"
    shown = report(made, list(measures().values()), run=RUN)
    path.write_text(render(shown, "html"), encoding="utf-8")
    with opened(browser, path, size) as (page, seen):
        page.get_by_label("Name or address").fill("<img")
        press(page, page.locator(".dot").first)
        assert (page.locator(".chosen h3 span").text_content() or "").startswith("</script><img")
        _unharmed(page, seen, path)


def _unharmed(page: Page, seen: Seen, path: Path) -> None:
    assert page.locator("img").count() == 0
    assert page.evaluate(MEASURE)["overflow"] <= 0
    assert seen.messages == []
    assert seen.requests == [path.as_uri()]


def test_an_empty_graph_is_quiet(browser: Browser, tmp_path: Path) -> None:
    from tests import books

    path = tmp_path / "graph.html"
    shown = report(compose(books.book([], [])), list(measures().values()), run=RUN)
    path.write_text(render(shown, "html"), encoding="utf-8")
    with opened(browser, path, DESKTOP) as (_, seen):
        assert seen.messages == []
