"""The report on a protocol with borrowers: what would hurt it most, and what is behind that.

Answer first, then numbers, pictures, tables, assumptions, and how to repeat it. Collateralised debt
and perpetuals have sections of their own where the adapter states them.
"""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import Report, Run, header_of
from defirisk.reports.protocol import (
    accounts,
    answer,
    debt_system,
    drops,
    elsewhere,
    perp_accounts,
    perp_losses,
    perp_markets,
    perp_modes,
    perp_population,
    perp_prices,
    reserves,
)
from defirisk.reports.protocol.falls import single_falls


class Protocol:
    """Everything about the deployments in a book, which are those of one protocol."""

    name = "protocol"
    summary = "a protocol: what a fall would do, who is close to it, on what it stands"
    of_deployments = True

    def subjects(self, book: Book) -> tuple[str, ...]:
        """What can be asked about."""
        return tuple(facts.name for facts in book.deployments)

    def build(
        self,
        book: Book,
        *,
        run: Run,
        subject: str = "",
        title: str = "",
        whole: Book | None = None,
    ) -> Report:
        """The report on all deployments of the book, which are those that `subject` names; `run`
        says how to repeat it. `whole` is the book of all that is known of the chain.

        Errors: none of its own; an asset whose fall cannot be computed is named in the report.
        """
        # Of perpetuals, nothing is lent: there are no reserves to speak of, and what is close to
        # liquidation is said of margins.
        falls, perpetual = single_falls(book), answer.is_perpetual(book)
        return Report(
            title=title or f"Risk of {_named(book)}",
            header=header_of(book, run),
            lead=(
                answer.paragraph(book, falls, run),
                *finding_notes(book),
                answer.tiles(book, falls),
            ),
            sections=(
                *(() if perpetual else (reserves.size(book),)),
                *debt_system.sections(book),
                *perp_markets.sections(book),
                *perp_population.sections(book),
                *perp_accounts.sections(book),
                *perp_prices.sections(book),
                *perp_modes.sections(book),
                *perp_losses.sections(book),
                accounts.health(book),
                drops.section(falls),
                drops.wall(falls),
                *(() if perpetual else (accounts.closest(book),)),
                accounts.concentration(book),
                *elsewhere.sections(book, whole),
                *(() if perpetual else (reserves.solvency(book),)),
                reserves.oracles(book),
                *(() if perpetual else (reserves.parameters(book), reserves.deficits(book))),
                answer.assumptions(book, falls),
            ),
            csv="margin-buffers" if perpetual else "closest-accounts",
        )


def _named(book: Book) -> str:
    names = [facts.name for facts in book.deployments]
    return " and ".join(names) if 0 < len(names) < 3 else f"{len(names)} deployments"


REPORT = Protocol()
