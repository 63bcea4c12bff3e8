// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Feed, ReadAsChainlink} from './ReadAsChainlink.sol';

interface RatioProvider {
  function convertToAssets(uint256 shares) external view returns (uint256);
}

/// The dollar price of a vault's share out of that of its asset, with the vault's rate capped: from
/// a snapshot on it may only grow by so much a year. Getters, event and rounding are those of Aave's
/// price cap adapters; what a lower rate says is taken as it is.
contract CappedRatioFeed is ReadAsChainlink {
  uint256 private constant PERCENTAGE_FACTOR = 1e4;
  uint256 public constant SECONDS_PER_YEAR = 365 days;
  uint8 public constant RATIO_DECIMALS = 18;

  Feed public immutable BASE_TO_USD_AGGREGATOR;
  RatioProvider public immutable RATIO_PROVIDER;
  address public immutable owner;

  uint256 public getSnapshotRatio;
  uint256 public getSnapshotTimestamp;
  uint256 public getMaxYearlyGrowthRatePercent; // in basis points, in spite of its name
  uint256 public getMaxRatioGrowthPerSecond;

  event CapParametersUpdated(
    uint256 snapshotRatio,
    uint256 snapshotTimestamp,
    uint256 maxRatioGrowthPerSecond,
    uint16 maxYearlyRatioGrowthPercent
  );

  constructor(RatioProvider vault, Feed baseFeed, uint104 ratio, uint48 timestamp, uint16 yearly, string memory words)
    ReadAsChainlink(baseFeed.decimals(), words)
  {
    (BASE_TO_USD_AGGREGATOR, RATIO_PROVIDER, owner) = (baseFeed, vault, msg.sender);
    set(ratio, timestamp, yearly);
  }

  function setCapParameters(uint104 ratio, uint48 timestamp, uint16 yearly) external {
    require(msg.sender == owner, 'not the owner');
    set(ratio, timestamp, yearly);
  }

  function getRatio() public view returns (int256) {
    return int256(RATIO_PROVIDER.convertToAssets(10 ** RATIO_DECIMALS));
  }

  function getMaxRatio() public view returns (int256) {
    return int256(getSnapshotRatio + getMaxRatioGrowthPerSecond * (block.timestamp - getSnapshotTimestamp));
  }

  function isCapped() external view returns (bool) {
    return getRatio() > getMaxRatio();
  }

  function latest() internal view override returns (int256, uint256) {
    (int256 ratio, int256 most) = (getRatio(), getMaxRatio());
    (uint256 base, uint256 updatedAt) = ask(BASE_TO_USD_AGGREGATOR);
    if (base == 0 || ratio <= 0) return (0, updatedAt);
    return ((int256(base) * (ratio < most ? ratio : most)) / int256(10 ** RATIO_DECIMALS), updatedAt);
  }

  function set(uint104 ratio, uint48 timestamp, uint16 yearly) private {
    require(ratio > 0, 'ratio of zero');
    require(timestamp > getSnapshotTimestamp && timestamp <= block.timestamp, 'bad timestamp');
    getSnapshotRatio = ratio;
    getSnapshotTimestamp = timestamp;
    getMaxYearlyGrowthRatePercent = yearly;
    getMaxRatioGrowthPerSecond = (uint256(ratio) * yearly) / PERCENTAGE_FACTOR / SECONDS_PER_YEAR;
    emit CapParametersUpdated(ratio, timestamp, getMaxRatioGrowthPerSecond, yearly);
  }
}
