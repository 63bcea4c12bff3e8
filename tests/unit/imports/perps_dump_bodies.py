"""Answers of exchanges' APIs, made up in the shapes that the APIs document."""

from __future__ import annotations

from typing import Any

USER, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20
HYPERLIQUID: dict[str, Any] = {
    "venue": "hyperliquid",
    "clearinghouseStates": {
        # The isolated position of the API's documentation, whose liquidationPx is 2866.26936529,
        # and beside it a cross one.
        USER: {
            "assetPositions": [
                {
                    "position": {
                        "coin": "ETH",
                        "entryPx": "2986.3",
                        "leverage": {"rawUsd": "-95.059824", "type": "isolated", "value": 20},
                        "liquidationPx": "2866.26936529",
                        "marginUsed": "4.967826",
                        "maxLeverage": 50,
                        "positionValue": "100.02765",
                        "szi": "0.0335",
                        "unrealizedPnl": "-0.0134",
                    },
                    "type": "oneWay",
                },
                {
                    "position": {
                        "coin": "BTC",
                        "entryPx": "64000.0",
                        "leverage": {"type": "cross", "value": 10},
                        "maxLeverage": 40,
                        "positionValue": "32500.0",
                        "szi": "-0.5",
                    },
                    "type": "oneWay",
                },
            ],
            # 40,000 of margin and what was got for the short.
            "crossMarginSummary": {"accountValue": "39500.0", "totalRawUsd": "72000.0"},
            "time": 1708622398623,
        },
        OTHER: {
            "assetPositions": [],
            "crossMarginSummary": {"accountValue": "12.5", "totalRawUsd": "12.5"},
        },
    },
}
META: list[Any] = [
    {
        "universe": [
            {"name": "BTC", "maxLeverage": 40, "marginTableId": 56, "szDecimals": 5},
            {"name": "ETH", "maxLeverage": 50, "marginTableId": 50, "szDecimals": 4},
        ],
        "marginTables": [
            [
                56,
                {
                    "description": "tiered 40x",
                    "marginTiers": [
                        {"lowerBound": "0.0", "maxLeverage": 40},
                        {"lowerBound": "20000.0", "maxLeverage": 20},
                    ],
                },
            ]
        ],
    },
    [{"markPx": "66000.0"}, {"markPx": "2985.9"}],
]
BINANCE: dict[str, Any] = {
    "venue": "binance",
    "name": "desk",
    "multiAssetsMargin": True,
    "positionRisk": [
        {
            "symbol": "BTCUSDT",
            "positionSide": "LONG",
            "positionAmt": "2.0",
            "entryPrice": "60000.0",
            "markPrice": "61000.0",
            "isolatedWallet": "0",
            "marginAsset": "USDT",
            "notional": "122000.0",
            "maintMargin": "560.0",
        },
        {
            "symbol": "BTCUSDT",
            "positionSide": "SHORT",
            "positionAmt": "-0.5",
            "entryPrice": "62000.0",
            "markPrice": "61000.0",
            "isolatedWallet": "0",
            "marginAsset": "USDT",
            "notional": "-30500.0",
            "maintMargin": "122.0",
        },
        {
            "symbol": "ETHUSDT",
            "positionSide": "BOTH",
            "positionAmt": "-10",
            "entryPrice": "3000",
            "markPrice": "3100",
            "isolatedWallet": "2500",
            "marginAsset": "USDT",
            "notional": "-31000",
            "maintMargin": "310",
        },
        {
            "symbol": "XRPUSDT",
            "positionSide": "BOTH",
            "positionAmt": "0",
            "entryPrice": "0.0",
            "markPrice": "0.5",
            "isolatedWallet": "0",
            "marginAsset": "USDT",
            "notional": "0",
            "maintMargin": "0",
        },
    ],
    "account": {
        "assets": [
            {"asset": "USDT", "crossWalletBalance": "-1500.0"},
            {"asset": "BTC", "crossWalletBalance": "0.25"},
            {"asset": "BNB", "crossWalletBalance": "10"},
        ]
    },
    "leverageBracket": [
        {
            "symbol": "BTCUSDT",
            "brackets": [
                {
                    "initialLeverage": 125,
                    "notionalFloor": 0,
                    "notionalCap": 50000,
                    "maintMarginRatio": 0.004,
                    "cum": 0.0,
                },
                {
                    "initialLeverage": 100,
                    "notionalFloor": 50000,
                    "notionalCap": 250000,
                    "maintMarginRatio": 0.005,
                    "cum": 50.0,
                },
            ],
        }
    ],
    "assetIndex": [
        {"symbol": "BTCUSD", "index": "60990.0", "bidBuffer": "0.05"},
        {"symbol": "BNBUSD", "index": "500", "bidBuffer": "0.1"},
    ],
}
