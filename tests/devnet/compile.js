// usage: node compile.js <node_modules> <own contracts> <output.json>
//
// Compiles the entry contracts with solc-js, each package with the compiler it was written for, and
// writes one artifact per contract name, together with those that a package ships already compiled.
'use strict';
const fs = require('fs');
const path = require('path');
const { markets, prebuilt } = require('./prebuilt.js');

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

// Own contracts built on Uniswap's libraries ask for the compiler of those, the others for none.
const OLDER = '0.7.6';
const OWN_ENTRIES = fs.readdirSync(contracts).sort();

function ownEntries(older) {
  return OWN_ENTRIES.map((name) => `devnet/${name}`).filter(
    (unit) => older === readSource(unit).includes(`pragma solidity =${OLDER};`),
  );
}

const PYTH = '@pythnetwork/pyth-sdk-solidity/';
const PYTH_ENTRIES = ['MockPyth', 'PythAggregatorV3'].map((name) => `${PYTH}${name}.sol`);

const BUILDS = () => [
  { compiler: 'solc', entries: AAVE_ENTRIES.concat(ownEntries(false)), settings: {} },
  {
    compiler: `solc-${OLDER}`,
    entries: ownEntries(true),
    settings: { evmVersion: 'istanbul' },
  },
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
  // Last, so that nothing of the same name in it hides what the others have.
  { compiler: 'solc', entries: PYTH_ENTRIES, settings: {} },
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
  [PYTH, PYTH],
  ['@uniswap/', '@uniswap'],
  ['solidity-utils/', '@bgd-labs/solidity-utils/src'],
  ['', '@aave-dao/aave-v3-origin'],
];

// What packages ship already compiled, one file per contract.
const CHAINLINK = '@chainlink/contracts/abi';
const COMPOUND = '@thenextblock/hardhat-compound/dist/artifacts/contracts/compound';
const UNISWAP_V3_PERIPHERY = '@uniswap/v3-periphery/artifacts/contracts';
const CURVE = '@perp/curie-deployments/optimism-goerli/core/artifacts/contracts/curve';
const READY = [
  `${CHAINLINK}/v0.4/LinkToken.json`,
  `${CHAINLINK}/v0.6/FluxAggregator.json`,
  `${CHAINLINK}/v0.6/EACAggregatorProxy.json`,
  ...['Unitroller', 'Comptroller', 'CErc20Delegator', 'CErc20Delegate'].map(compound),
  ...['JumpRateModelV2', 'WhitePaperInterestRateModel'].map(compound),
  '@uniswap/v2-core/build/UniswapV2Factory.json',
  '@uniswap/v2-periphery/build/UniswapV2Router02.json',
  '@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json',
  ...['NonfungiblePositionManager', 'SwapRouter', 'lens/QuoterV2'].map(
    (name) => `${UNISWAP_V3_PERIPHERY}/${name}.sol/${path.basename(name)}.json`,
  ),
  ...['FactorySidechains', 'Plain4Basic'].map((name) => `${CURVE}/${name}.vy/${name}.json`),
];

function compound(name) {
  return `${COMPOUND}/${name}.sol/${name}.json`;
}

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
for (const build of BUILDS()) {
  for (const units of compile(build)) {
    for (const [name, contract] of Object.entries(units)) {
      const { object, linkReferences } = contract.evm.bytecode;
      const known = (build.prefix || '') + name;
      if (object === '' || known in artifacts) continue;
      artifacts[known] = artifact(contract.abi, object, linkReferences);
    }
  }
}
for (const file of READY) {
  const shipped = readArtifact(file);
  const { abi, evm, bytecode } = shipped.compilerOutput || shipped;
  artifacts[path.basename(file, '.json')] = artifact(abi, evm ? evm.bytecode.object : bytecode, {});
}
const folders = AAVE_V3_0_FOLDERS.map((folder) => path.join(AAVE_V3_0, folder));
for (const folder of [...folders, AAVE_V3_0_MISC]) {
  for (const [name, { abi, bytecode, linkReferences }] of Object.entries(readHardhat(folder))) {
    artifacts[AAVE_V3_0_PREFIX + name] = artifact(abi, bytecode, linkReferences, AAVE_V3_0_PREFIX);
  }
}
Object.assign(artifacts, prebuilt(modules, artifact, readHardhat));
fs.writeFileSync(output, JSON.stringify(artifacts));
const beside = path.join(path.dirname(output), 'synthetix_markets.json');
fs.writeFileSync(beside, JSON.stringify(markets(modules)));
