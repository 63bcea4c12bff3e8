"""defirisk replay"""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  defirisk replay proposal"""
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
def command(folder: str) -> int:
    """Compute a proposal's numbers again from its bundle, and compare every byte.

    Needs neither a node nor a store. Exit code 1 where impact.json is not what comes out, or where
    a file is not the one that the manifest names.
    """
    import json
    from pathlib import Path

    from defirisk.cli.folder import get_files
    from defirisk.core.errors import UsageError
    from defirisk.governance.bundle import FILES
    from defirisk.governance.manifest import NAME
    from defirisk.governance.repeating import foreign, repeat

    place = Path(folder)
    try:
        manifest = json.loads(get_files(place, [NAME])[NAME])
        stated = dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{NAME} of {folder} is not one that defirisk propose wrote") from error
    found = foreign(stated, get_files(place, stated))
    bundle = get_files(place / "bundle", FILES)
    found += repeat(bundle, get_files(place, ["impact.json"])["impact.json"])
    for difference in found:
        click.echo(f"DIFFERS: {difference}")
    if not found:
        click.echo(
            f"impact.json is the same to the byte, and all {len(stated)} files are those of the "
            "manifest"
        )
    return int(bool(found))
