// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {Feed} from './ReadAsChainlink.sol';

/// What Sovryn Zero's price feed asks: the price with 18 decimals, and whether there is one. The
/// aggregator's getter is named as in the price feed of Liquity, which reads one itself.
contract ZeroPriceFeed {
  uint256 private constant TARGET_DIGITS = 18;

  Feed public immutable priceAggregator;

  constructor(Feed feed) {
    priceAggregator = feed;
  }

  function latestAnswer() external view returns (uint256, bool) {
    try priceAggregator.latestRoundData() returns (uint80, int256 answer, uint256, uint256, uint80) {
      if (answer <= 0) return (0, false);
      return (uint256(answer) * 10 ** (TARGET_DIGITS - priceAggregator.decimals()), true);
    } catch {
      return (0, false);
    }
  }
}
