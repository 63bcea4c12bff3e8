// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface Feed {
  function decimals() external view returns (uint8);
  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

interface Token {
  function decimals() external view returns (uint8);
}

interface CToken {
  function underlying() external view returns (Token);
}

/// Prices for Compound v2 out of dollar feeds: 1e18 times the dollars of a whole underlying token,
/// times 10 ** (18 - its decimals), which makes 36 - decimals places in all.
contract FeedPriceOracle {
  bool public constant isPriceOracle = true;
  uint256 private constant PLACES = 36;

  address public immutable owner;
  mapping(CToken => Feed) public feeds;

  event FeedSet(CToken indexed cToken, Feed feed);

  constructor() {
    owner = msg.sender;
  }

  function setFeed(CToken cToken, Feed feed) external {
    require(msg.sender == owner, 'not the owner');
    feeds[cToken] = feed;
    emit FeedSet(cToken, feed);
  }

  /// 0 without a feed or an answer: the comptroller calls that a price error.
  function getUnderlyingPrice(CToken cToken) external view returns (uint256) {
    Feed feed = feeds[cToken];
    if (address(feed) == address(0)) return 0;
    (, int256 answer, , , ) = feed.latestRoundData();
    if (answer <= 0) return 0;
    return uint256(answer) * 10 ** (PLACES - feed.decimals() - cToken.underlying().decimals());
  }
}
