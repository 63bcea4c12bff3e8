"""Liquidations of Aave v3, by what the pool, its oracle and its data provider say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from tests.devnet.abi import MAX_UINT256
from tests.devnet.chain import Tx
from tests.devnet.market import Market

from .fork import KEEPER, Block, Log, Outcome, moved, selector, view
from .lending import Choice, Lending, Standing, most_valuable

RESERVE = "getUserReserveData(address,address)"
LIQUIDATE = "liquidationCall(address,address,address,uint256,bool)"
COLLATERAL, DEBT, HEALTH = 0, 1, 5  # words of getUserAccountData
SUPPLIED, OWED, PLEDGED = 0, 2, 8  # words of getUserReserveData
THRESHOLD = 2  # word of getReserveConfigurationData
HEALTHY = 10**18
LEAVES_DUST = selector("MustNotLeaveDust()")
DEFICIT = "0x" + keccak(b"DeficitCreated(address,address,uint256)").hex()


@dataclass(frozen=True)
class Aave(Lending):
    """v3.6."""

    market: Market

    @property
    def spenders(self) -> Sequence[str]:
        """See `Lending`."""
        return [self.market.pool]

    def standings(self, block: Block, units: Sequence[str]) -> list[Standing]:
        """See `Lending`."""
        question = "getUserAccountData(address)"
        said = block.asked([view(self.market.pool, question, unit) for unit in units])
        return [
            Standing(data[HEALTH] < HEALTHY, data[DEBT] > data[COLLATERAL])
            if (data := outcome.words)
            else Standing(False, False)
            for outcome in said
        ]

    def debts(self, block: Block, unit: str) -> list[tuple[str, int]]:
        """See `Lending`."""
        tokens = [asset.token for asset in self.market.assets.values()]
        said = block.asked([view(self._data, RESERVE, token, unit) for token in tokens])
        owed = zip(tokens, (one.words[OWED] for one in said), strict=True)
        return [(token, amount) for token, amount in owed if amount]

    def choices(self, block: Block, units: Sequence[str]) -> list[Choice]:
        """See `Lending`."""
        prices = dict(zip(self.market.assets, self.prices(block), strict=True))
        found = [self._choice(block, unit, prices) for unit in units]
        return [choice for choice in found if choice]

    def prices(self, block: Block) -> list[int]:
        """See `Lending`."""
        oracle, assets = self.market.addresses["oracle"], self.market.assets.values()
        said = block.asked([view(oracle, "getAssetPrice(address)", one.token) for one in assets])
        return [one.word for one in said]

    def lessened(self, block: Block, choice: Choice, refusal: Outcome) -> tuple[Tx, ...]:
        """The largest amount that leaves no dust, found by trying."""
        if not refusal.data.startswith(LEAVES_DUST):
            return ()
        asked = view(self._data, RESERVE, choice.debt, choice.unit)
        least, most = 0, block.asked([asked])[0].words[OWED]
        while most - least > 1:
            middle = (least + most) // 2
            way = self._way(choice.unit, choice.collateral, choice.debt, middle)
            if block.tried([way])[0].ok:
                least = middle
            else:
                most = middle
        return (self._way(choice.unit, choice.collateral, choice.debt, least),) if least else ()

    def fee(self, choice: Choice, logs: Sequence[Log]) -> int:
        """The aTokens that went to the treasury."""
        asset = next(one for one in self.market.assets.values() if one.token == choice.collateral)
        return moved(logs, asset.a_token.lower(), choice.unit, self.market.addresses["treasury"])

    def bad_debt(self, logs: Sequence[Log]) -> list[tuple[str, int]]:
        """Deficits."""
        return [
            ("0x" + log.topics[2][-40:], int(log.data, 16))
            for log in logs
            if log.topics[0] == DEFICIT
        ]

    @property
    def _data(self) -> str:
        return self.market.addresses["data_provider"]

    def _choice(self, block: Block, unit: str, prices: dict[str, int]) -> Choice | None:
        assets = self.market.assets
        tokens = [asset.token for asset in assets.values()]
        said = block.asked([view(self._data, RESERVE, token, unit) for token in tokens])
        counted = self._counted(block, unit, tokens)
        held = [
            (asset.token, one.words, 10 ** (18 - asset.decimals) * prices[symbol])
            for (symbol, asset), one in zip(assets.items(), said, strict=True)
        ]
        debt = most_valuable([(token, data[OWED] * worth) for token, data, worth in held])
        collateral = most_valuable(
            [
                (token, data[SUPPLIED] * worth)
                for token, data, worth in held
                if token in counted and data[PLEDGED]
            ]
        )
        if debt is None or collateral is None:
            return None
        way = self._way(unit, collateral, debt, MAX_UINT256)
        return Choice(self.name, unit, collateral, debt, (way,))

    def _counted(self, block: Block, unit: str, tokens: Sequence[str]) -> set[str]:
        """Reserves that have a liquidation threshold, by themselves or in the unit's e-mode."""
        question = "getReserveConfigurationData(address)"
        said = block.asked([view(self._data, question, token) for token in tokens])
        own = {token for token, one in zip(tokens, said, strict=True) if one.words[THRESHOLD]}
        return own | self._in_e_mode(block, unit, tokens)

    def _in_e_mode(self, block: Block, unit: str, tokens: Sequence[str]) -> set[str]:
        pool = self.market.pool
        (mode,) = block.asked([view(pool, "getUserEMode(address)", unit)])
        if not mode.word:
            return set()
        bitmap = "getEModeCategoryCollateralBitmap(uint8)"
        said = block.asked([view(pool, bitmap, mode.word), view(pool, "getReservesList()")])
        places = ["0x" + f"{word:040x}" for word in said[1].words[2:]]
        return {token for token in tokens if said[0].word >> places.index(token) & 1}

    def _way(self, unit: str, collateral: str, debt: str, amount: int) -> Tx:
        args = (collateral, debt, unit, amount, False)
        return Tx(KEEPER, self.market.pool, LIQUIDATE, args)


class AaveV30(Aave):
    """v3.0, where an asset is of one category, with the parameters of its own thresholds."""

    def _in_e_mode(self, block: Block, unit: str, tokens: Sequence[str]) -> set[str]:
        question = "getReserveEModeCategory(address)"
        (mode,) = block.asked([view(self.market.pool, "getUserEMode(address)", unit)])
        said = block.asked([view(self._data, question, token) for token in tokens])
        return {
            token for token, one in zip(tokens, said, strict=True) if mode.word == one.word != 0
        }
