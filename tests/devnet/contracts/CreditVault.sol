// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ERC20} from '@openzeppelin/contracts/token/ERC20/ERC20.sol';
import {IERC20} from '@openzeppelin/contracts/token/ERC20/IERC20.sol';
import {ERC4626} from '@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol';

/// Shares of what its owner does with the assets elsewhere: earnings are sent here, and losses are
/// taken out. Of neither there is anything in the logs but a transfer of the asset.
contract CreditVault is ERC4626 {
  address public immutable owner;

  constructor(IERC20 asset_, string memory name_, string memory symbol_) ERC20(name_, symbol_) ERC4626(asset_) {
    owner = msg.sender;
  }

  function lose(uint256 assets, address to) external {
    require(msg.sender == owner, 'not the owner');
    IERC20(asset()).transfer(to, assets);
  }
}
