// For the test of agreement: takes a line of JSON for each receipt, `{"receipt": BASE64, "trust": TEXT|null}`,
// and answers each with a line, what was found: `["failure_name@place", ...]`.

import { createInterface } from 'node:readline';
import { readTrust, verify } from './dist/verify.js';

const trusts = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { receipt, trust } = JSON.parse(line);
  if (trust && !trusts.has(trust)) trusts.set(trust, await readTrust(trust));
  const report = await verify(new Uint8Array(Buffer.from(receipt, 'base64')), trusts.get(trust));
  const named = ({ name, place }) => `${name}@${place}`;
  console.log(JSON.stringify([...report.failures.map(named), ...report.remarks.map(named)]));
}
