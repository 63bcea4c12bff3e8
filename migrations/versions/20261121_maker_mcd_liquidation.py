"""The rows of MakerDAO MCD: how urns are liquidated, and who owns them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_maker_mcd_liquidation"
down_revision = "20261121_perp_curie"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maker_mcd_auctions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("flip", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("auction", WideInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("bid_rad", WideInteger(), nullable=False),
        sa.Column("lot_raw", WideInteger(), nullable=False),
        sa.Column("guy", sa.Text(), nullable=False),
        sa.Column("tic_ts", sa.BigInteger(), nullable=False),
        sa.Column("end_ts", sa.BigInteger(), nullable=False),
        sa.Column("usr", sa.Text(), nullable=False),
        sa.Column("gal", sa.Text(), nullable=False),
        sa.Column("tab_rad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_auctions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "flip",
            "auction",
            "valid_from_block",
            name=op.f("pk_maker_mcd_auctions"),
        ),
    )
    with op.batch_alter_table("maker_mcd_auctions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_auctions_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_auctions_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_cat_ilks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("cat", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("flip", sa.Text(), nullable=False),
        sa.Column("chop_wad", WideInteger(), nullable=False),
        sa.Column("dunk_rad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_cat_ilks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "cat", "ilk", "valid_from_block", name=op.f("pk_maker_mcd_cat_ilks")
        ),
    )
    with op.batch_alter_table("maker_mcd_cat_ilks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cat_ilks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cat_ilks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_cats",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("cat", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("box_rad", WideInteger(), nullable=False),
        sa.Column("litter_rad", WideInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_cats_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "cat", "valid_from_block", name=op.f("pk_maker_mcd_cats")
        ),
    )
    with op.batch_alter_table("maker_mcd_cats", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cats_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cats_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_cdps",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("manager", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("cdp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("urn", sa.Text(), nullable=False),
        sa.Column("own", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_cdps_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "manager", "cdp", "valid_from_block", name=op.f("pk_maker_mcd_cdps")
        ),
    )
    with op.batch_alter_table("maker_mcd_cdps", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cdps_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_cdps_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_dog_ilks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("dog", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("ilk", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("clip", sa.Text(), nullable=False),
        sa.Column("chop_wad", WideInteger(), nullable=False),
        sa.Column("hole_rad", WideInteger(), nullable=False),
        sa.Column("dirt_rad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_dog_ilks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "dog", "ilk", "valid_from_block", name=op.f("pk_maker_mcd_dog_ilks")
        ),
    )
    with op.batch_alter_table("maker_mcd_dog_ilks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_dog_ilks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_dog_ilks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "maker_mcd_dogs",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("dog", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("hole_rad", WideInteger(), nullable=False),
        sa.Column("dirt_rad", WideInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_maker_mcd_dogs_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "dog", "valid_from_block", name=op.f("pk_maker_mcd_dogs")
        ),
    )
    with op.batch_alter_table("maker_mcd_dogs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_dogs_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_maker_mcd_dogs_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("maker_mcd_dogs")
    op.drop_table("maker_mcd_dog_ilks")
    op.drop_table("maker_mcd_cdps")
    op.drop_table("maker_mcd_cats")
    op.drop_table("maker_mcd_cat_ilks")
    op.drop_table("maker_mcd_auctions")
