"""The rows of Morpho Blue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_morpho_blue"
down_revision = "20261121_compound_v2_rates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _settings()
    _markets()
    _positions()
    _oracles()
    _prices()
    _feeds()
    _irms()
    _borrow_rates()


def downgrade() -> None:
    for table in (
        "morpho_blue_borrow_rates",
        "morpho_blue_irms",
        "morpho_blue_feeds",
        "morpho_blue_prices",
        "morpho_blue_oracles",
        "morpho_blue_positions",
        "morpho_blue_markets",
        "morpho_blue_settings",
    ):
        op.drop_table(table)


def _index(table: str) -> None:
    """Versions are found by where they end and where they begin."""
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def _settings() -> None:
    op.create_table(
        "morpho_blue_settings",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("morpho", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("fee_recipient", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_settings_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "morpho", "valid_from_block", name=op.f("pk_morpho_blue_settings")
        ),
    )
    _index("morpho_blue_settings")


def _markets() -> None:
    op.create_table(
        "morpho_blue_markets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("created_block", sa.BigInteger(), nullable=False),
        sa.Column("loan_token", sa.Text(), nullable=False),
        sa.Column("collateral_token", sa.Text(), nullable=False),
        sa.Column("oracle", sa.Text(), nullable=False),
        sa.Column("irm", sa.Text(), nullable=False),
        sa.Column("lltv_wad", WideInteger(), nullable=False),
        sa.Column("total_supply_assets_raw", WideInteger(), nullable=False),
        sa.Column("total_supply_shares_raw", WideInteger(), nullable=False),
        sa.Column("total_borrow_assets_raw", WideInteger(), nullable=False),
        sa.Column("total_borrow_shares_raw", WideInteger(), nullable=False),
        sa.Column("last_update_ts", sa.BigInteger(), nullable=False),
        sa.Column("fee_wad", WideInteger(), nullable=False),
        sa.Column("prev_borrow_rate_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_markets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "market_id", "valid_from_block", name=op.f("pk_morpho_blue_markets")
        ),
    )
    _index("morpho_blue_markets")


def _positions() -> None:
    op.create_table(
        "morpho_blue_positions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("supply_shares_raw", WideInteger(), nullable=False),
        sa.Column("borrow_shares_raw", WideInteger(), nullable=False),
        sa.Column("collateral_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_positions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market_id",
            "account",
            "valid_from_block",
            name=op.f("pk_morpho_blue_positions"),
        ),
    )
    _index("morpho_blue_positions")


def _oracles() -> None:
    op.create_table(
        "morpho_blue_oracles",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_vault", sa.Text(), nullable=False),
        sa.Column("quote_vault", sa.Text(), nullable=False),
        sa.Column("base_feed_1", sa.Text(), nullable=False),
        sa.Column("base_feed_2", sa.Text(), nullable=False),
        sa.Column("quote_feed_1", sa.Text(), nullable=False),
        sa.Column("quote_feed_2", sa.Text(), nullable=False),
        sa.Column("scale_factor", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_oracles_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "valid_from_block", name=op.f("pk_morpho_blue_oracles")
        ),
    )
    _index("morpho_blue_oracles")


def _prices() -> None:
    op.create_table(
        "morpho_blue_prices",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_prices_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "valid_from_block", name=op.f("pk_morpho_blue_prices")
        ),
    )
    _index("morpho_blue_prices")


def _feeds() -> None:
    op.create_table(
        "morpho_blue_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_morpho_blue_feeds")
        ),
    )
    _index("morpho_blue_feeds")


def _irms() -> None:
    op.create_table(
        "morpho_blue_irms",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("irm", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("proportional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_irms_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "irm", "valid_from_block", name=op.f("pk_morpho_blue_irms")
        ),
    )
    _index("morpho_blue_irms")


def _borrow_rates() -> None:
    op.create_table(
        "morpho_blue_borrow_rates",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("rate_wad", WideInteger(), nullable=False),
        sa.Column("last_update_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_borrow_rates_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market_id",
            "valid_from_block",
            name=op.f("pk_morpho_blue_borrow_rates"),
        ),
    )
    _index("morpho_blue_borrow_rates")
