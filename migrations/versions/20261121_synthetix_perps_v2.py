"""The rows of what the markets of Synthetix Perps V2 stand on: settings, rates, suspensions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_synthetix_perps_v2"
down_revision = "20261121_synthetix_perps_v2_markets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "synthetix_perps_v2_aggregators",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("exchange_rates", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("currency_key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_aggregators_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "exchange_rates",
            "currency_key",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_aggregators"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_aggregators", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_aggregators_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_aggregators_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_names",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_names_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "name", "valid_from_block", name=op.f("pk_synthetix_perps_v2_names")
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_names", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_names_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_names_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_parameters",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market_key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("parameter", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("value_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_parameters_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market_key",
            "parameter",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_parameters"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_parameters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_parameters_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_parameters_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_rates_read",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("last_value_wad", WideInteger(), nullable=False),
        sa.Column("circuit_broken", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_rates_read_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "feed",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_rates_read"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_rates_read", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_rates_read_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_rates_read_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_suspensions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_suspensions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "section",
            "subject",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_suspensions"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_suspensions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_suspensions_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_suspensions_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("synthetix_perps_v2_suspensions")
    op.drop_table("synthetix_perps_v2_rates_read")
    op.drop_table("synthetix_perps_v2_parameters")
    op.drop_table("synthetix_perps_v2_names")
    op.drop_table("synthetix_perps_v2_aggregators")
