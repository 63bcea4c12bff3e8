"""Synthetix Perps V2 on the local chain, priced by the shared feeds."""
