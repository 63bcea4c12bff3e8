// What packages ship already compiled and linked by name: perpetuals and collateralised debt.
'use strict';
const fs = require('fs');
const path = require('path');

const SYNTHETIX = 'synthetix/publish/deployed/sepolia-ovm/deployment.json';
const SYNTHETIX_MARKETS = 'synthetix/publish/deployed/mainnet-ovm/perpsv2-markets.json';
const LIBRARIES = ['SafeDecimalMath', 'SystemSettingsLib', 'ExchangeSettlementLib'];
const HARDHAT = {
  'perp:': ['@perp/curie-contract/artifacts/contracts', '@perp/perp-oracle-contract/artifacts/contracts'],
  'zero:': ['@sovryn-zero/contracts/artifacts/contracts'],
};

// Artifacts by name, each with its package's prefix; `artifact` makes one and `readHardhat` a folder.
function prebuilt(modules, artifact, readHardhat) {
  const found = synthetix(modules, artifact);
  for (const [prefix, folders] of Object.entries(HARDHAT)) {
    for (const folder of folders) {
      for (const [name, { abi, bytecode, linkReferences }] of Object.entries(readHardhat(folder))) {
        found[prefix + name] = artifact(abi, bytecode, linkReferences, prefix);
      }
    }
  }
  return found;
}

// The publisher flattened every contract into a file of its name, so the hash in a hole is known.
function synthetix(modules, artifact) {
  const { sources } = JSON.parse(fs.readFileSync(path.join(modules, SYNTHETIX), 'utf8'));
  const hashes = require(path.join(modules, 'ganache-cli/node_modules/ethereum-cryptography/keccak'));
  const found = {};
  for (const [name, { abi, bytecode }] of Object.entries(sources)) {
    const references = { [name]: {} };
    for (const library of LIBRARIES) {
      const hash = hashes.keccak256(Buffer.from(`${name}.sol:${library}`)).toString('hex');
      const hole = `__$${hash.slice(0, 34)}$__`;
      const starts = positions(bytecode.replace(/^0x/, ''), hole);
      if (starts.length > 0) references[name][library] = starts.map((start) => ({ start }));
    }
    found[`synthetix:${name}`] = artifact(abi, bytecode, references, 'synthetix:');
  }
  return found;
}

// Where a hole begins, in bytes.
function positions(code, hole) {
  const starts = [];
  for (let at = code.indexOf(hole); at >= 0; at = code.indexOf(hole, at + 1)) starts.push(at / 2);
  return starts;
}

// The parameters of the markets as they were published.
function markets(modules) {
  return JSON.parse(fs.readFileSync(path.join(modules, SYNTHETIX_MARKETS), 'utf8'));
}

module.exports = { prebuilt, markets };
