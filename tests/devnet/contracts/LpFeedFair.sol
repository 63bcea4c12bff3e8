// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Math} from '@openzeppelin/contracts/utils/math/Math.sol';
import {Feed, LpShareFeed, Pair} from './LpShareFeed.sol';

/// What the reserves would be worth if the pool stood at the feeds' prices, 2 * sqrt(k * p0 * p1):
/// swaps do not move it, as they hardly move k.
contract LpFeedFair is LpShareFeed {
  constructor(Pair pair, Feed feed0, Feed feed1, string memory words) LpShareFeed(pair, feed0, feed1, words) {}

  /// The root of the product of what the naive way adds up; 36 places under it are 18 outside.
  function total(uint256 reserve0, uint256 price0, uint256 reserve1, uint256 price1)
    internal
    view
    override
    returns (uint256)
  {
    uint256 places = 10 ** (36 - DECIMALS_0 - DECIMALS_1);
    return 2 * Math.sqrt(reserve0 * reserve1 * price0 * price1 * places);
  }
}
