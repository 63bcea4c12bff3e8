// usage: node compile.js <node_modules> <own contracts> <output.json>
//
// Compiles the entry contracts with solc-js and writes one artifact per contract name, together
// with the Chainlink artifacts, which their package ships already compiled.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, contracts, output] = process.argv.slice(2).map((p) => path.resolve(p));
const solc = require(path.join(modules, 'solc'));

const AAVE = 'src/contracts/';
const ENTRIES = [
  'instances/PoolInstance.sol',
  'instances/PoolConfiguratorInstance.sol',
  'instances/ATokenInstance.sol',
  'instances/VariableDebtTokenInstance.sol',
  'protocol/configuration/PoolAddressesProvider.sol',
  'protocol/configuration/PoolAddressesProviderRegistry.sol',
  'protocol/configuration/ACLManager.sol',
  'misc/AaveOracle.sol',
  'misc/DefaultReserveInterestRateStrategyV2.sol',
  'helpers/AaveProtocolDataProvider.sol',
  'helpers/LiquidationDataProvider.sol',
  'mocks/testnet-helpers/TestnetERC20.sol',
  'mocks/flashloan/MockSimpleFlashLoanReceiverWithoutMint.sol',
  'dependencies/weth/WETH9.sol',
].map((name) => AAVE + name).concat('devnet/YieldVault.sol', 'devnet/PoolConfiguratorNext.sol');

const PREFIXES = [
  ['devnet/', contracts],
  ['openzeppelin-contracts-upgradeable/contracts/', '@openzeppelin/contracts-upgradeable'],
  ['openzeppelin-contracts/contracts/', '@openzeppelin/contracts'],
  ['@openzeppelin/contracts/', '@openzeppelin/contracts'],
  ['solidity-utils/', '@bgd-labs/solidity-utils/src'],
  ['', '@aave-dao/aave-v3-origin'],
];

const CHAINLINK = {
  LinkToken: 'v0.4/LinkToken.json',
  FluxAggregator: 'v0.6/FluxAggregator.json',
  EACAggregatorProxy: 'v0.6/EACAggregatorProxy.json',
};

function readSource(unit) {
  const [prefix, directory] = PREFIXES.find(([start]) => unit.startsWith(start));
  return fs.readFileSync(path.resolve(modules, directory, unit.slice(prefix.length)), 'utf8');
}

// solc-js asks for every import it meets, so the sources need no scan of our own.
function resolveImport(unit) {
  try {
    return { contents: readSource(unit) };
  } catch (error) {
    return { error: String(error) };
  }
}

const input = {
  language: 'Solidity',
  sources: Object.fromEntries(ENTRIES.map((unit) => [unit, { content: readSource(unit) }])),
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: 'shanghai',
    metadata: { bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences'] } },
  },
};

const result = JSON.parse(solc.compile(JSON.stringify(input), { import: resolveImport }));
const errors = (result.errors || []).filter((entry) => entry.severity === 'error');
if (errors.length > 0) {
  errors.forEach((entry) => console.error(entry.formattedMessage));
  process.exit(1);
}

function constructorTypes(abi) {
  const found = abi.find((item) => item.type === 'constructor');
  return found ? found.inputs.map((item) => item.type) : [];
}

function links(references) {
  const places = [];
  for (const libraries of Object.values(references)) {
    for (const [library, positions] of Object.entries(libraries)) {
      positions.forEach(({ start }) => places.push([library, start]));
    }
  }
  return places;
}

const artifacts = {};
for (const units of Object.values(result.contracts)) {
  for (const [name, contract] of Object.entries(units)) {
    const { object, linkReferences } = contract.evm.bytecode;
    if (object === '' || name in artifacts) continue;
    artifacts[name] = {
      constructor: constructorTypes(contract.abi),
      bytecode: object,
      links: links(linkReferences),
    };
  }
}
for (const [name, file] of Object.entries(CHAINLINK)) {
  const location = path.join(modules, '@chainlink/contracts/abi', file);
  const artifact = JSON.parse(fs.readFileSync(location, 'utf8'));
  const { abi, evm } = artifact.compilerOutput;
  artifacts[name] = {
    constructor: constructorTypes(abi),
    bytecode: evm.bytecode.object.replace(/^0x/, ''),
    links: [],
  };
}
fs.writeFileSync(output, JSON.stringify(artifacts));
