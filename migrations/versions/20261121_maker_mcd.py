"""The rows of MakerDAO MCD: ilks, urns, auctions' contracts and the system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_maker_mcd"
down_revision = "20261121_maker_mcd_liquidation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maker_mcd_flips",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("flip", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("ilk", sa.Text(), nullable=False),
        sa.Column("cat", sa.Text(), nullable=False),
        sa.Column("beg_wad", WideInteger(), nullable=False),
        sa.Column("ttl_seconds", sa.BigInteger(), nullable=False),
        sa.Column("tau_seconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_flips_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "flip", "valid_from_block", name=op.f("pk_maker_mcd_flips")
        ),
    )
    with op.batch_alter_table("maker_mcd_flips", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_flips_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_flips_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_ilks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("art_raw", WideInteger(), nullable=False),
        sa.Column("rate_ray", WideInteger(), nullable=False),
        sa.Column("spot_ray", WideInteger(), nullable=False),
        sa.Column("line_rad", WideInteger(), nullable=False),
        sa.Column("dust_rad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_ilks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "ilk", "valid_from_block", name=op.f("pk_maker_mcd_ilks")
        ),
    )
    with op.batch_alter_table("maker_mcd_ilks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_ilks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_ilks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_joins",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("ward", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("ilk", sa.Text(), nullable=False),
        sa.Column("gem", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_joins_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "ward", "valid_from_block", name=op.f("pk_maker_mcd_joins")
        ),
    )
    with op.batch_alter_table("maker_mcd_joins", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_joins_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_joins_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_jug_ilks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("duty_ray", WideInteger(), nullable=False),
        sa.Column("rho_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_jug_ilks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "ilk", "valid_from_block", name=op.f("pk_maker_mcd_jug_ilks")
        ),
    )
    with op.batch_alter_table("maker_mcd_jug_ilks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_jug_ilks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_jug_ilks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_spot_ilks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pip", sa.Text(), nullable=False),
        sa.Column("mat_ray", WideInteger(), nullable=False),
        sa.Column("val_wad", WideInteger(), nullable=False),
        sa.Column("poked_ts", sa.BigInteger(), nullable=False),
        sa.Column("poked_mat_ray", WideInteger(), nullable=False),
        sa.Column("poked_par_ray", WideInteger(), nullable=False),
        sa.Column("poked_spot_ray", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_spot_ilks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "ilk", "valid_from_block", name=op.f("pk_maker_mcd_spot_ilks")
        ),
    )
    with op.batch_alter_table("maker_mcd_spot_ilks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_spot_ilks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_spot_ilks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_surpluses",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vow", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("dai_rad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_surpluses_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "vow", "valid_from_block", name=op.f("pk_maker_mcd_surpluses")
        ),
    )
    with op.batch_alter_table("maker_mcd_surpluses", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_surpluses_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_surpluses_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_systems",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vat", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("line_rad", WideInteger(), nullable=False),
        sa.Column("debt_rad", WideInteger(), nullable=False),
        sa.Column("vice_rad", WideInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("par_ray", WideInteger(), nullable=False),
        sa.Column("spotter_live", sa.Boolean(), nullable=False),
        sa.Column("base_ray", WideInteger(), nullable=False),
        sa.Column("vow", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_systems_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "vat", "valid_from_block", name=op.f("pk_maker_mcd_systems")
        ),
    )
    with op.batch_alter_table("maker_mcd_systems", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_systems_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_systems_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_urns",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("urn", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("ink_raw", WideInteger(), nullable=False),
        sa.Column("art_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_urns_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "ilk", "urn", "valid_from_block", name=op.f("pk_maker_mcd_urns")
        ),
    )
    with op.batch_alter_table("maker_mcd_urns", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_urns_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_urns_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("maker_mcd_urns")
    op.drop_table("maker_mcd_systems")
    op.drop_table("maker_mcd_surpluses")
    op.drop_table("maker_mcd_spot_ilks")
    op.drop_table("maker_mcd_jug_ilks")
    op.drop_table("maker_mcd_joins")
    op.drop_table("maker_mcd_ilks")
    op.drop_table("maker_mcd_flips")
