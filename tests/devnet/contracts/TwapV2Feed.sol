// SPDX-License-Identifier: MIT
pragma solidity ^0.8.21;

import {Feed, ReadAsChainlink, Token} from './ReadAsChainlink.sol';

interface Pair {
  function token0() external view returns (address);
  function token1() external view returns (address);
  function getReserves() external view returns (uint112, uint112, uint32);
  function price0CumulativeLast() external view returns (uint256);
  function price1CumulativeLast() external view returns (uint256);
}

/// The mean price of `base` in a Uniswap v2 pair over the last period that somebody closed, in the
/// way of Uniswap's own example of a fixed window, put into dollars by a feed of the other token.
///
/// `priceCumulativeLast`, `timestampLast` and `average` are written by `update` without an event:
/// only a view, or the sender's transaction, shows that they changed.
contract TwapV2Feed is ReadAsChainlink {
  Pair public immutable PAIR;
  address public immutable BASE;
  address public immutable QUOTE;
  Feed public immutable QUOTE_FEED;
  uint256 public immutable PERIOD;

  uint256 public priceCumulativeLast;
  uint32 public timestampLast;
  /// Units of the other token per unit of `base`, times 2**112, rounded down; 0 before a first update.
  uint256 public average;

  constructor(Pair pair, address base, Feed quoteFeed, uint256 period, string memory description_)
    ReadAsChainlink(quoteFeed.decimals(), description_)
  {
    (address token0, address token1) = (pair.token0(), pair.token1());
    require(base == token0 || base == token1, 'not in the pair');
    (PAIR, BASE, QUOTE, QUOTE_FEED, PERIOD) = (pair, base, base == token0 ? token1 : token0, quoteFeed, period);
    (priceCumulativeLast, timestampLast) = cumulative();
  }

  /// Closes a period, however long it became; anybody may.
  function update() external {
    (uint256 cumulativeNow, uint32 timestamp) = cumulative();
    unchecked {
      // Both clocks run over their ends, as the pair's do.
      uint32 elapsed = timestamp - timestampLast;
      require(elapsed >= PERIOD, 'period not elapsed');
      average = uint224((cumulativeNow - priceCumulativeLast) / elapsed);
    }
    (priceCumulativeLast, timestampLast) = (cumulativeNow, timestamp);
  }

  /// What the pair's own accumulator would say if it were written in this block.
  function cumulative() public view returns (uint256 sum, uint32 timestamp) {
    bool first = BASE == PAIR.token0();
    sum = first ? PAIR.price0CumulativeLast() : PAIR.price1CumulativeLast();
    (uint112 reserve0, uint112 reserve1, uint32 written) = PAIR.getReserves();
    (uint256 own, uint256 other) = first ? (reserve0, reserve1) : (reserve1, reserve0);
    timestamp = uint32(block.timestamp);
    unchecked {
      sum += ((other << 112) / own) * uint32(timestamp - written);
    }
  }

  function latest() internal view override returns (int256, uint256) {
    require(average > 0, 'no period closed');
    uint256 worth = (average * 10 ** Token(BASE).decimals()) >> 112;
    (uint256 quote, uint256 updatedAt) = ask(QUOTE_FEED);
    return (int256((worth * quote) / 10 ** Token(QUOTE).decimals()), older(timestampLast, updatedAt));
  }
}
