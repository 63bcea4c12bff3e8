// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Feed, LpShareFeed, Pair} from './LpShareFeed.sol';

/// What the reserves of this moment are worth: one swap that leaves the pool lopsided makes every
/// share dearer, which is how lenders have been robbed.
contract LpFeedNaive is LpShareFeed {
  constructor(Pair pair, Feed feed0, Feed feed1, string memory words) LpShareFeed(pair, feed0, feed1, words) {}

  function total(uint256 reserve0, uint256 price0, uint256 reserve1, uint256 price1)
    internal
    view
    override
    returns (uint256)
  {
    return (reserve0 * price0 * WHOLE) / 10 ** DECIMALS_0 + (reserve1 * price1 * WHOLE) / 10 ** DECIMALS_1;
  }
}
