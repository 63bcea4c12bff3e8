"""What a forked process needs not import again."""

import psycopg
import pyarrow  # noqa: F401

import defirisk.cli.commands.index
import defirisk.cli.progress
import defirisk.indexing.run
from defirisk.core.plugins import adapters
from defirisk.store.database import alembic_config
from tests.kills import dying

adapters()
__all__ = ["alembic_config", "defirisk", "dying", "psycopg"]
