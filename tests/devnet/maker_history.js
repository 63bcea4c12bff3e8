// usage: node maker_history.js <node_modules> <work folder> <output.json>
//
// The transactions that built the Maker test chain, block by block, with what came of them, read
// from the snapshot that the package ships, through the node that wrote it.
'use strict';
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const [modules, work, output] = process.argv.slice(2).map((p) => path.resolve(p));
const MAKER = path.join(modules, '@makerdao/testchain');
const NETWORK = 999;
const GAS_LIMIT = 40_000_000;

const database = fs.mkdtempSync(path.join(work, 'maker-'));
execFileSync('tar', ['xzf', path.join(MAKER, 'snapshots/default.tgz'), '-C', database]);
const mnemonic = /-m "([^"]+)"/.exec(fs.readFileSync(path.join(MAKER, 'scripts/launch'), 'utf8'));
const ganache = require(path.join(modules, 'ganache-cli')).provider({
  db_path: database,
  mnemonic: mnemonic[1],
  network_id: NETWORK,
  gasLimit: GAS_LIMIT,
});
let asked = 0;

function ask(method, ...params) {
  return new Promise((resolve, reject) => {
    const request = { jsonrpc: '2.0', id: (asked += 1), method, params };
    ganache.send(request, (error, answer) => (error ? reject(error) : resolve(answer.result)));
  });
}

async function main() {
  const head = Number(await ask('eth_blockNumber'));
  const blocks = [];
  for (let number = 1; number <= head; number += 1) {
    const block = await ask('eth_getBlockByNumber', '0x' + number.toString(16), true);
    const transactions = [];
    for (const { hash, from, to, input, value, nonce } of block.transactions) {
      const { status, contractAddress, logs } = await ask('eth_getTransactionReceipt', hash);
      const target = to && Number(to) ? to : null;
      transactions.push({ from, to: target, data: input, value, nonce, status, contractAddress, logs: logs.length });
    }
    blocks.push({ timestamp: Number(block.timestamp), transactions });
  }
  const out = path.join(MAKER, 'out');
  const addresses = JSON.parse(fs.readFileSync(path.join(out, 'addresses-mcd.json'), 'utf8'));
  fs.writeFileSync(output, JSON.stringify({ network: NETWORK, addresses, blocks }));
  fs.rmSync(database, { recursive: true });
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
