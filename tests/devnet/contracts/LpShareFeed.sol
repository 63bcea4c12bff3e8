// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Feed, ReadAsChainlink, Token} from './ReadAsChainlink.sol';

interface Pair {
  function token0() external view returns (address);
  function token1() external view returns (address);
  function getReserves() external view returns (uint112, uint112, uint32);
  function totalSupply() external view returns (uint256);
}

/// The price in dollars of a whole (1e18) share of a Uniswap v2 pair, from dollar feeds of its two
/// tokens: what the naive and the fair way of computing it have in common.
abstract contract LpShareFeed is ReadAsChainlink {
  uint256 internal constant WHOLE = 1e18;

  Pair public immutable PAIR;
  Feed public immutable FEED_0;
  Feed public immutable FEED_1;
  uint8 public immutable DECIMALS_0;
  uint8 public immutable DECIMALS_1;

  constructor(Pair pair, Feed feed0, Feed feed1, string memory description_)
    ReadAsChainlink(feed0.decimals(), description_)
  {
    require(feed0.decimals() == feed1.decimals(), 'feeds of different decimals');
    (PAIR, FEED_0, FEED_1) = (pair, feed0, feed1);
    (DECIMALS_0, DECIMALS_1) = (Token(pair.token0()).decimals(), Token(pair.token1()).decimals());
  }

  /// Dollars of all shares together, times 1e18, in the feeds' decimals.
  function total(uint256 reserve0, uint256 price0, uint256 reserve1, uint256 price1)
    internal
    view
    virtual
    returns (uint256);

  function latest() internal view override returns (int256, uint256) {
    (uint112 reserve0, uint112 reserve1, ) = PAIR.getReserves();
    (uint256 price0, uint256 updated0) = ask(FEED_0);
    (uint256 price1, uint256 updated1) = ask(FEED_1);
    uint256 answer = total(reserve0, price0, reserve1, price1) / PAIR.totalSupply();
    return (int256(answer), older(updated0, updated1));
  }
}
