// Checks a receipt on the command line: node cli.mjs RECEIPT.json [--trust FILE]
// Exits with 0 verified, 1 refused, 2 used wrongly, 3 signers unknown. `-` reads from standard input.

import { readFileSync } from 'node:fs';
import { readTrust, verify } from './dist/verify.js';

function used(why) {
  console.error(`${why}\nuse: node cli.mjs RECEIPT.json [--trust FILE]`);
  process.exit(2);
}

const [file, option, path, ...rest] = process.argv.slice(2);
if (!file || rest.length > 0 || (option !== undefined && (option !== '--trust' || !path))) used('one receipt, please');
let receipt;
let trust;
try {
  receipt = new Uint8Array(readFileSync(file === '-' ? 0 : file));
  trust = path && (await readTrust(readFileSync(path, 'utf8')));
} catch (error) {
  used(error.message);
}
const report = await verify(receipt, trust);
console.log(report.verified ? 'VERIFIED' : report.sound ? 'SIGNERS UNKNOWN' : 'REFUSED');
const line = (mark, { name, says, place }) => console.log(`  ${mark.padEnd(12)}${place && `${place}: `}${says} (${name})`);
for (const failure of report.failures) line('wrong', failure);
for (const { what, says } of report.checked) console.log(`  ${what.padEnd(12)}${says}`);
for (const remark of report.remarks) line('note', remark);
process.exit(report.verified ? 0 : report.sound ? 3 : 1);
