"""Proposals to an Aave v3 market: the PoolConfigurator's rules, calldata, snapshots, roles."""
