// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface Feed {
  function decimals() external view returns (uint8);
  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

interface Token {
  function decimals() external view returns (uint8);
}

/// The price of a collateral in a loan token for Morpho Blue, from a dollar feed of each; the
/// getters are named as those of Morpho's own oracle over Chainlink feeds.
contract FeedOracle {
  Feed public immutable BASE_FEED_1;
  Feed public immutable QUOTE_FEED_1;
  uint256 public immutable SCALE_FACTOR;

  constructor(Feed baseFeed, Feed quoteFeed, Token baseToken, Token quoteToken) {
    BASE_FEED_1 = baseFeed;
    QUOTE_FEED_1 = quoteFeed;
    uint256 up = 36 + uint256(quoteToken.decimals()) + quoteFeed.decimals();
    SCALE_FACTOR = 10 ** (up - baseToken.decimals() - baseFeed.decimals());
  }

  /// One unit of the collateral in units of the loan token, times 1e36.
  function price() external view returns (uint256) {
    return (SCALE_FACTOR * answer(BASE_FEED_1)) / answer(QUOTE_FEED_1);
  }

  function answer(Feed feed) private view returns (uint256) {
    (, int256 latest, , , ) = feed.latestRoundData();
    require(latest >= 0, 'negative answer');
    return uint256(latest);
  }
}
