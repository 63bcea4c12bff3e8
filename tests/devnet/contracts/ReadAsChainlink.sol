// SPDX-License-Identifier: MIT
pragma solidity >=0.7.6 <0.9.0;

interface Feed {
  function decimals() external view returns (uint8);
  function description() external view returns (string memory);
  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

interface Token {
  function decimals() external view returns (uint8);
}

/// The reading interface of a Chainlink feed over an answer that is made elsewhere. There is no
/// aggregator behind it and nothing is ever emitted: who wants to know the answer has to ask.
abstract contract ReadAsChainlink {
  uint8 public immutable decimals;
  string public description;

  constructor(uint8 decimals_, string memory description_) {
    decimals = decimals_;
    description = description_;
  }

  /// The answer, and since when it stands.
  function latest() internal view virtual returns (int256 answer, uint256 updatedAt);

  function latestAnswer() external view returns (int256 answer) {
    (answer, ) = latest();
  }

  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
    (int256 answer, uint256 updatedAt) = latest();
    return (uint80(updatedAt), answer, updatedAt, updatedAt, uint80(updatedAt));
  }

  function ask(Feed feed) internal view returns (uint256, uint256) {
    (, int256 answer, , uint256 updatedAt, ) = feed.latestRoundData();
    require(answer >= 0, 'negative answer');
    return (uint256(answer), updatedAt);
  }

  function older(uint256 one, uint256 other) internal pure returns (uint256) {
    return one < other ? one : other;
  }
}
