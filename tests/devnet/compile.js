// usage: node compile.js <node_modules> <own contracts> <output.json>
//
// Compiles the entry contracts with solc-js, each package with the compiler it was written for, and
// writes one artifact per contract name, together with those that a package ships already compiled.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, contracts, output] = process.argv.slice(2).map((p) => path.resolve(p));

const AAVE = 'src/contracts/';
const AAVE_ENTRIES = [
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
].map((name) => AAVE + name);

const OWN_ENTRIES = ['YieldVault', 'PoolConfiguratorNext', 'FeedOracle', 'FeedPriceOracle'].map(
  (name) => `devnet/${name}.sol`,
);

const BUILDS = [
  { compiler: 'solc', entries: AAVE_ENTRIES.concat(OWN_ENTRIES), settings: {} },
  {
    compiler: 'solc-0.8.19',
    entries: ['Morpho.sol', 'mocks/IrmMock.sol'].map((name) => `morpho/${name}`),
    settings: { viaIR: true, evmVersion: 'paris' },
  },
  {
    compiler: 'solc-0.5.16',
    entries: ['fork/Comptroller.sol', 'fork/CErc20Delegate.sol'],
    settings: { evmVersion: 'istanbul', metadata: {} },
    prefix: 'fork:',
  },
];

// What makes a fork of Compound v2 of its sources: the events as Venus declares them.
const FORK_EDITS = {
  'fork/Comptroller.sol': [
    ['event MarketListed(CToken cToken)', 'event MarketListed(CToken indexed cToken)'],
    ['MarketEntered(CToken cToken, address ', 'MarketEntered(CToken indexed cToken, address indexed '],
    ['MarketExited(CToken cToken, address ', 'MarketExited(CToken indexed cToken, address indexed '],
    ['event NewCollateralFactor(CToken cToken', 'event NewCollateralFactor(CToken indexed cToken'],
  ],
  'fork/CTokenInterfaces.sol': [
    ['uint mintAmount, uint mintTokens);', 'uint mintAmount, uint mintTokens, uint256 totalSupply);'],
    ['redeemAmount, uint redeemTokens);', 'redeemAmount, uint redeemTokens, uint256 totalSupply);'],
  ],
  'fork/CToken.sol': [
    ['Mint(minter, vars.actualMintAmount, vars.mintTokens)',
      'Mint(minter, vars.actualMintAmount, vars.mintTokens, vars.accountTokensNew)'],
    ['Redeem(redeemer, vars.redeemAmount, vars.redeemTokens)',
      'Redeem(redeemer, vars.redeemAmount, vars.redeemTokens, vars.accountTokensNew)'],
  ],
};

const PREFIXES = [
  ['devnet/', contracts],
  ['morpho/', '@morpho-org/morpho-blue/src'],
  ['fork/', '@thenextblock/hardhat-compound/dist/contracts/compound'],
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

const COMPOUND = '@thenextblock/hardhat-compound/dist/artifacts/contracts/compound';
const COMPOUND_NAMES = [
  ...['Unitroller', 'Comptroller', 'CErc20Delegator', 'CErc20Delegate'],
  ...['JumpRateModelV2', 'WhitePaperInterestRateModel'],
];

// The first version of Aave v3 has the same contract names as the present one.
const AAVE_V3_0 = '@aave/core-v3/artifacts/contracts/protocol';
const AAVE_V3_0_FOLDERS = ['configuration', 'libraries/logic', 'pool', 'tokenization'];
const AAVE_V3_0_MISC = '@aave/core-v3/artifacts/contracts/misc';
const AAVE_V3_0_PREFIX = 'v3.0:';

function readSource(unit) {
  const [prefix, directory] = PREFIXES.find(([start]) => unit.startsWith(start));
  const file = path.resolve(modules, directory, unit.slice(prefix.length));
  return (FORK_EDITS[unit] || []).reduce(replaceOnce, fs.readFileSync(file, 'utf8'));
}

function replaceOnce(source, [from, to]) {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} times in the source: ${from}`);
  return parts.join(to);
}

// solc-js asks for every import it meets, so the sources need no scan of our own.
function resolveImport(unit) {
  try {
    return { contents: readSource(unit) };
  } catch (error) {
    return { error: String(error) };
  }
}

function compile({ compiler, entries, settings }) {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(entries.map((unit) => [unit, { content: readSource(unit) }])),
    settings: {
      optimizer: { enabled: true, runs: 200 },
      evmVersion: 'shanghai',
      metadata: { bytecodeHash: 'none' },
      outputSelection: {
        '*': { '*': ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences'] },
      },
      ...settings,
    },
  };
  // The newest wrapper drives every compiler in the same way.
  const solc = require(path.join(modules, 'solc/wrapper'))(
    require(path.join(modules, compiler, 'soljson.js')),
  );
  const result = JSON.parse(solc.compile(JSON.stringify(input), { import: resolveImport }));
  const errors = (result.errors || []).filter((entry) => entry.severity === 'error');
  if (errors.length > 0) {
    errors.forEach((entry) => console.error(entry.formattedMessage));
    process.exit(1);
  }
  return Object.values(result.contracts);
}

function artifact(abi, object, references, prefix = '') {
  const constructor = abi.find((item) => item.type === 'constructor');
  const links = [];
  for (const libraries of Object.values(references)) {
    for (const [library, positions] of Object.entries(libraries)) {
      positions.forEach(({ start }) => links.push([prefix + library, start]));
    }
  }
  return {
    constructor: constructor ? constructor.inputs.map((item) => item.type) : [],
    bytecode: object.replace(/^0x/, ''),
    links,
  };
}

function readArtifact(...location) {
  return JSON.parse(fs.readFileSync(path.join(modules, ...location), 'utf8'));
}

// Hardhat puts the artifact of a contract into a folder named after its source file.
function readHardhat(root) {
  const found = {};
  for (const file of fs.readdirSync(path.join(modules, root), { recursive: true })) {
    if (!file.endsWith('.json') || file.endsWith('.dbg.json')) continue;
    const one = readArtifact(root, file);
    if (one.bytecode !== '0x') found[one.contractName] = one;
  }
  return found;
}

const artifacts = {};
for (const build of BUILDS) {
  for (const units of compile(build)) {
    for (const [name, contract] of Object.entries(units)) {
      const { object, linkReferences } = contract.evm.bytecode;
      const known = (build.prefix || '') + name;
      if (object === '' || known in artifacts) continue;
      artifacts[known] = artifact(contract.abi, object, linkReferences);
    }
  }
}
for (const [name, file] of Object.entries(CHAINLINK)) {
  const { abi, evm } = readArtifact('@chainlink/contracts/abi', file).compilerOutput;
  artifacts[name] = artifact(abi, evm.bytecode.object, {});
}
for (const name of COMPOUND_NAMES) {
  const { abi, bytecode } = readArtifact(COMPOUND, `${name}.sol`, `${name}.json`);
  artifacts[name] = artifact(abi, bytecode, {});
}
const folders = AAVE_V3_0_FOLDERS.map((folder) => path.join(AAVE_V3_0, folder));
for (const folder of [...folders, AAVE_V3_0_MISC]) {
  for (const [name, { abi, bytecode, linkReferences }] of Object.entries(readHardhat(folder))) {
    artifacts[AAVE_V3_0_PREFIX + name] = artifact(abi, bytecode, linkReferences, AAVE_V3_0_PREFIX);
  }
}
fs.writeFileSync(output, JSON.stringify(artifacts));
