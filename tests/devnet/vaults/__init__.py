"""ERC-4626 vaults: one that lends elsewhere, and one that spreads itself over Morpho."""
