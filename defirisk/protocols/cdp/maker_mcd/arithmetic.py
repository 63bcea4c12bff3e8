"""Maker's own arithmetic, and the words by which it calls its collaterals.

Source: dss as deployed by npm @makerdao/testchain 1.1.32 (`Jug.rpow`, `Jug.drip`, `Spotter.poke`)
and dss-cdp-manager (`DssCdpManager.open`).
"""

from __future__ import annotations

import re

from eth_hash.auto import keccak

from defirisk.protocols.cdp.maker_mcd.rows import RAY, WAD

SECONDS_PER_YEAR = 31_536_000
_WORD = 32
_PLAIN = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._+-]*")
_HEX = "0x"


def rpow(base: int, exponent: int) -> int:
    """`base` (1e27 is 1) to the power, each product rounded half up."""
    result, square = (base if exponent % 2 else RAY), base
    if base == 0:
        return RAY if exponent == 0 else 0
    exponent //= 2
    while exponent:
        square = (square * square + RAY // 2) // RAY
        if exponent % 2:
            result = (result * square + RAY // 2) // RAY
        exponent //= 2
    return result


def rdiv(left: int, right: int) -> int:
    """The quotient with 27 decimals, cut."""
    return left * RAY // right


def dripped(rate_ray: int, fee_ray: int, seconds: int) -> int:
    """The rate that `Jug.drip` would write: `fee_ray` is `base` and `duty` together."""
    return rpow(fee_ray, seconds) * rate_ray // RAY


def spot(val_wad: int, par_ray: int, mat_ray: int) -> int:
    """What `Spotter.poke` makes of a price."""
    return rdiv(rdiv(val_wad * (RAY // WAD), par_ray), mat_ray)


def ilk_name(raw: bytes) -> str:
    """The text of a bytes32, without its zeros; all of it in hex where it is no plain word.

    Names end up in units, where a colon separates: whoever may name an ilk is not to forge one.
    """
    text = raw.rstrip(b"\0")
    return text.decode() if _PLAIN.fullmatch(text) else _HEX + raw.hex()


def ilk_bytes(name: str) -> bytes:
    """The bytes32 of a name that `ilk_name` gave."""
    if name.startswith(_HEX) and len(name) == len(_HEX) + 2 * _WORD:
        return bytes.fromhex(name.removeprefix(_HEX))
    return name.encode().ljust(_WORD, b"\0")


def urn_handler(manager: str, number: int) -> str:
    """Where the manager's CDP of this number is.

    Urns are all that the manager ever creates, so that the number is the nonce of their creation.
    """
    nonce = number.to_bytes((number.bit_length() + 7) // 8, "big")
    coded = nonce if 0 < number < 0x80 else bytes([0x80 + len(nonce)]) + nonce
    content = b"\x94" + bytes.fromhex(manager[2:]) + coded
    return "0x" + keccak(bytes([0xC0 + len(content)]) + content)[-20:].hex()
