// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ReadAsChainlink} from './ReadAsChainlink.sol';

/// A price that somebody wrote down once. It claims to be of this very second, as such feeds do.
contract HardCodedFeed is ReadAsChainlink {
  int256 public immutable PRICE;

  constructor(int256 price, uint8 decimals_, string memory description_) ReadAsChainlink(decimals_, description_) {
    PRICE = price;
  }

  function latest() internal view override returns (int256, uint256) {
    return (PRICE, block.timestamp);
  }
}
