"""defirisk init"""

from __future__ import annotations

from pathlib import Path

import click

TEMPLATE = """\
# defirisk configuration. Flags win over the environment, the environment over this file.
# ${VAR} is replaced by the environment's variable: keep secrets there.

# Where everything is stored. A relative SQLite file lies beside this file.
db = "sqlite:///defirisk.db"

# One table for each chain, by the names of `defirisk list chains`, or a name of your own with
# chain_id.
# rpc_url may be a list, or several addresses separated by commas: one that fails is replaced.
[chains.ethereum]
rpc_url = "${ETH_RPC_URL}"

# [chains.base]
# rpc_url = "${BASE_RPC_URL}"

# Deployments of known protocols are shipped (see `defirisk list deployments`). Your own, or a fork:
# [[deployment]]
# name = "my-market"
# protocol = "aave-v3"
# chain_id = 1
# first_block = 16291071
# pool = "0x…"
# pool_configurator = "0x…"
# pool_addresses_provider = "0x…"
# oracle = "0x…"
# # Assets that wrap or are pegged to another follow its price in shocks:
# follows = { wstETH = "WETH" }

# Whom to tell, by apprise's addresses, when a chain falls behind, may lack logs, or was
# reorganised:
# [alerts]
# urls = ["${ALERT_URL}"]
# lag_seconds = 3600
# reorg_depth = 5
"""


@click.command(
    epilog="""\b
Example:
  defirisk init && export ETH_RPC_URL=https://… && defirisk index aave-v3"""
)
@click.option("--force", is_flag=True, help="Replace a defirisk.toml that is there.")
def command(force: bool) -> None:
    """Write a commented defirisk.toml into this folder."""
    from defirisk.core.errors import UsageError

    path = Path("defirisk.toml")
    if path.exists() and not force:
        raise UsageError("defirisk.toml is there already: edit it, or replace it with --force")
    path.write_text(TEMPLATE, encoding="utf-8")
    click.echo("wrote defirisk.toml: set ETH_RPC_URL, then run defirisk index aave-v3", err=True)
