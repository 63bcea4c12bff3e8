// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Math} from '@openzeppelin/contracts/utils/math/Math.sol';
import {Feed, Token} from './ReadAsChainlink.sol';

interface Vault {
  function asset() external view returns (Token);
  function decimals() external view returns (uint8);
  function convertToAssets(uint256 shares) external view returns (uint256);
}

/// The price of a collateral in a loan token for Morpho Blue, where either may be the share of an
/// ERC-4626 vault, and each is priced by up to two feeds or by none. The getters are named as those
/// of Morpho's own oracle over Chainlink feeds, and so are its roundings.
contract ComposedOracle {
  Vault public immutable BASE_VAULT;
  uint256 public immutable BASE_VAULT_CONVERSION_SAMPLE;
  Vault public immutable QUOTE_VAULT;
  uint256 public immutable QUOTE_VAULT_CONVERSION_SAMPLE;
  Feed public immutable BASE_FEED_1;
  Feed public immutable BASE_FEED_2;
  Feed public immutable QUOTE_FEED_1;
  Feed public immutable QUOTE_FEED_2;
  uint256 public immutable SCALE_FACTOR;

  struct Side {
    /// The zero address where the token is no share, or where it is priced as itself.
    Vault vault;
    Feed feed1;
    Feed feed2;
    Token token;
  }

  constructor(
    Vault baseVault,
    Feed baseFeed1,
    Feed baseFeed2,
    Token baseToken,
    Vault quoteVault,
    Feed quoteFeed1,
    Feed quoteFeed2,
    Token quoteToken
  ) {
    Side memory base = Side(baseVault, baseFeed1, baseFeed2, baseToken);
    Side memory quote = Side(quoteVault, quoteFeed1, quoteFeed2, quoteToken);
    (BASE_VAULT, BASE_FEED_1, BASE_FEED_2) = (base.vault, base.feed1, base.feed2);
    (QUOTE_VAULT, QUOTE_FEED_1, QUOTE_FEED_2) = (quote.vault, quote.feed1, quote.feed2);
    (uint256 baseSample, uint256 basePlaces) = measure(base);
    (uint256 quoteSample, uint256 quotePlaces) = measure(quote);
    (BASE_VAULT_CONVERSION_SAMPLE, QUOTE_VAULT_CONVERSION_SAMPLE) = (baseSample, quoteSample);
    SCALE_FACTOR = (10 ** (36 + quotePlaces - basePlaces) * quoteSample) / baseSample;
  }

  /// One unit of the collateral in units of the loan token, times 1e36.
  function price() external view returns (uint256) {
    uint256 base = assets(BASE_VAULT, BASE_VAULT_CONVERSION_SAMPLE) * answer(BASE_FEED_1) * answer(BASE_FEED_2);
    uint256 quote = assets(QUOTE_VAULT, QUOTE_VAULT_CONVERSION_SAMPLE) * answer(QUOTE_FEED_1) * answer(QUOTE_FEED_2);
    return Math.mulDiv(SCALE_FACTOR, base, quote);
  }

  /// How many shares are asked for at once, and all decimals of what they are worth in the end.
  function measure(Side memory side) private view returns (uint256 sample, uint256 places) {
    bool plain = address(side.vault) == address(0);
    sample = plain ? 1 : 10 ** side.vault.decimals();
    places = (plain ? side.token : side.vault.asset()).decimals();
    if (address(side.feed1) != address(0)) places += side.feed1.decimals();
    if (address(side.feed2) != address(0)) places += side.feed2.decimals();
  }

  function assets(Vault vault, uint256 shares) private view returns (uint256) {
    return address(vault) == address(0) ? 1 : vault.convertToAssets(shares);
  }

  function answer(Feed feed) private view returns (uint256) {
    if (address(feed) == address(0)) return 1;
    (, int256 latest, , , ) = feed.latestRoundData();
    require(latest >= 0, 'negative answer');
    return uint256(latest);
  }
}
