// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {PoolConfigurator, IPoolAddressesProvider, IPool} from 'src/contracts/protocol/pool/PoolConfigurator.sol';

/// A revision that the product has never seen: the same code under the next number.
contract PoolConfiguratorNext is PoolConfigurator {
  uint256 public constant CONFIGURATOR_REVISION = 8;

  function getRevision() internal pure override returns (uint256) {
    return CONFIGURATOR_REVISION;
  }

  function initialize(IPoolAddressesProvider provider) public override initializer {
    _addressesProvider = provider;
    _pool = IPool(provider.getPool());
  }
}
