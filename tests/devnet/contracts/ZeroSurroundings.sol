// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface Spendable {
  function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Stands for what Sovryn Zero is connected to and does not ship: the ZERO token, which knows when
/// redemptions begin, the issuance that rewards depositors, and the collector of fees.
contract ZeroSurroundings {
  uint256 private constant ISSUED_AT_ONCE = 1 ether;

  uint256 public immutable getDeploymentStartTime;

  constructor() {
    getDeploymentStartTime = block.timestamp;
  }

  function issueSOV(uint256) external pure returns (uint256) {
    return ISSUED_AT_ONCE;
  }

  function sendSOV(address, uint256) external pure {}

  function transferTokens(Spendable token, uint96 amount) external {
    require(token.transferFrom(msg.sender, address(this), amount), 'no tokens');
  }

  function transferRBTC() external payable {}
}
