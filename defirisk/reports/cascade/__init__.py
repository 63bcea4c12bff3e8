"""What scenarios do to a book once liquidations move prices: `defirisk stress --cascade`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.reports.cascade import blocks, words
from defirisk.reports.cascade.cases import Cases, assumptions, play_cases
from defirisk.reports.cascade.data import scenario_records
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import Block, Paragraph, Report, Run, Section, header_of
from defirisk.reports.stress import account_table

__all__ = ["Cases", "build", "play_cases"]


def build(
    book: Book,
    screened: Outcome,
    cases: Cases,
    *,
    run: Run,
    accounts: Sequence[tuple[str, str]] = (),
) -> Report:
    """The report on the same scenarios in the static screen and in all cases of the cascade.

    `accounts` are (scenario, account) pairs that can be liquidated at once.
    """
    scenarios = scenario_records(book, screened, cases)
    shocks = tuple(dict.fromkeys(text for one in screened.scenarios for text in one.shocks))
    data: dict[str, Any] = {
        "scenarios": scenarios,
        "unpriced_accounts": int(book.unpriced.sum()),
        "assumptions": assumptions(cases),
    }
    lead: list[Block] = [
        Paragraph(words.answer(scenarios)),
        *finding_notes(book),
        *words.warnings(book, scenarios, cases),
    ]
    sections: list[Section] = []
    if scenarios:
        worst = words.worst(scenarios)
        lead.append(
            blocks.tiles(worst) if len(scenarios) == 1 else blocks.scenario_table(scenarios)
        )
        sections = [
            Section("path", "Prices", tuple(blocks.price_chart(worst))),
            Section(
                "who-pays",
                "Who pays",
                (blocks.payers(worst), blocks.case_table(worst), *words.refusals(scenarios)),
            ),
            Section("where", "Where", tuple(blocks.details(scenarios))),
        ]
    rests = (Paragraph(words.assumed(cases.base.settings)), blocks.assumption_table(cases))
    sections.append(Section("assumptions", "Assumptions", rests))
    if accounts:
        data["accounts"] = [{"scenario": name, "account": unit} for name, unit in accounts]
        sections.append(Section("accounts", "Accounts", (account_table(accounts),)))
    return Report(
        title="Stress test: cascade",
        header=header_of(book, run, shocks),
        lead=tuple(lead),
        sections=tuple(sections),
        data=data,
    )
