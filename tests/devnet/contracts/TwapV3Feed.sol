// SPDX-License-Identifier: MIT
pragma solidity =0.7.6;

import {IUniswapV3Pool} from '@uniswap/v3-core/contracts/interfaces/IUniswapV3Pool.sol';
import {OracleLibrary} from '@uniswap/v3-periphery/contracts/libraries/OracleLibrary.sol';
import {Feed, ReadAsChainlink, Token} from './ReadAsChainlink.sol';

/// The price of a whole `base` at the mean tick of the last `WINDOW` seconds of a Uniswap v3 pool,
/// by Uniswap's own library, put into dollars by a feed of the other token.
contract TwapV3Feed is ReadAsChainlink {
  IUniswapV3Pool public immutable POOL;
  uint32 public immutable WINDOW;
  address public immutable BASE;
  address public immutable QUOTE;
  Feed public immutable QUOTE_FEED;

  constructor(IUniswapV3Pool pool, uint32 window, address base, Feed quoteFeed, string memory description_)
    ReadAsChainlink(quoteFeed.decimals(), description_)
  {
    (address token0, address token1) = (pool.token0(), pool.token1());
    require(base == token0 || base == token1, 'not in the pool');
    POOL = pool;
    WINDOW = window;
    BASE = base;
    QUOTE = base == token0 ? token1 : token0;
    QUOTE_FEED = quoteFeed;
  }

  /// Rounded to minus infinity.
  function meanTick() public view returns (int24 tick) {
    (tick, ) = OracleLibrary.consult(address(POOL), WINDOW);
  }

  function latest() internal view override returns (int256, uint256) {
    uint128 whole = uint128(10 ** uint256(Token(BASE).decimals()));
    uint256 worth = OracleLibrary.getQuoteAtTick(meanTick(), whole, BASE, QUOTE);
    (uint256 quote, uint256 updatedAt) = ask(QUOTE_FEED);
    require(quote == 0 || worth <= uint256(-1) / quote, 'overflow');
    return (int256((worth * quote) / 10 ** uint256(Token(QUOTE).decimals())), updatedAt);
  }
}
