// Makes dist/ of src/: `verify.js`, one plain module; `verify.html`, one page that loads nothing; and that
// page's SHA-256. `node build.mjs FOLDER` makes them elsewhere, to compare.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = process.argv[2] ?? join(here, 'dist');
const proto = join(here, '../../proto/consilium/v1');

// Below each other, so that each stands behind what it takes from others.
const MODULES = ['bytes', 'crypto', 'schema', 'protobuf', 'failures', 'report', 'bundle', 'note', 'log'].concat(
  ['institutions', 'calls', 'opening', 'spans', 'verify'],
);
// What is read, with all that it holds.
const READ = ['Receipt', 'Statement', 'RegistryEntry', 'Succession', 'Card', 'AskRequest', 'AnswerRequest', 'Passage'];
const SCALARS = ['string', 'bytes', 'bool', 'uint32', 'uint64', 'sint32', 'float'];

/** The messages of the schema that are read, a line each. */
function schema() {
  const files = ['card', 'specialist', 'router', 'receipt'].map((name) => readFileSync(join(proto, `${name}.proto`), 'utf8'));
  const text = files.join('\n').replace(/\/\/.*$/gm, '');
  const messages = new Map();
  for (const [, name, body] of text.matchAll(/^message (\w+) \{((?:[^{}]|\{[^{}]*\})*)\}/gm)) messages.set(name, fields(body));
  const wanted = [...READ];
  for (const name of wanted) {
    for (const { type } of messages.get(name)) if (messages.has(type) && !wanted.includes(type)) wanted.push(type);
  }
  const line = (name) => `${name}:${messages.get(name).map((field) => written(field, messages)).join(';')}`;
  const says = '// The messages that are read, from the schema. Written by build.mjs.';
  return `${says}\n\nexport const SCHEMA = \`\n${wanted.map(line).join('\n')}\n\`;\n`;
}

/** The fields of a message, in the order of their numbers. */
function fields(body) {
  const found = [];
  let oneof = '';
  for (const statement of body.split(/[;{}]|(?=\})/).map((one) => one.trim())) {
    const [, name] = /^oneof (\w+)$/.exec(statement) ?? [];
    if (name) oneof = `oneof.${name}`;
    const [, how, type, field, number] = /^(?:(repeated|optional) )?(\w+) (\w+) = (\d+)$/.exec(statement) ?? [];
    if (type) found.push({ how: how ?? oneof, type, field, number: Number(number) });
  }
  return found.sort((one, other) => one.number - other.number);
}

function written({ how, type, field, number }, messages) {
  const kind = SCALARS.includes(type) || messages.has(type) ? type : 'enum';
  return [how, kind, field, number].filter((word) => word !== '').join(' ');
}

/** The modules `names` as one, without what ties them together. */
function joined(folder, names) {
  const bare = (name) =>
    readFileSync(join(folder, `${name}.js`), 'utf8')
      .replace(/^import [\s\S]*?;\n/gm, '')
      .replace(/^export \{[^}]*\};\n/gm, '')
      .replace(/^export /gm, '');
  return names.map(bare).join('\n');
}

const sha256 = (text, encoding) => createHash('sha256').update(text).digest(encoding);

const text = schema();
const kept = join(here, 'src/schema.ts');
if (process.argv[2]) {
  if (readFileSync(kept, 'utf8') !== text) throw new Error('src/schema.ts is not of this schema');
} else {
  writeFileSync(kept, text);
}
const compiled = mkdtempSync(join(tmpdir(), 'verify-'));
try {
  const tsc = join(here, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', here, '--outDir', compiled], { stdio: 'inherit' });
  const code = joined(compiled, MODULES);
  const script = `${code}\n${joined(compiled, ['page'])}`;
  const style = readFileSync(join(here, 'src/page.css'), 'utf8');
  const page = readFileSync(join(here, 'src/page.html'), 'utf8')
    .replace('{{style hash}}', sha256(style, 'base64'))
    .replace('{{script hash}}', sha256(script, 'base64'))
    .replace('{{style}}', () => style)
    .replace('{{script}}', () => script);
  mkdirSync(out, { recursive: true });
  const says = '// Checks receipts; see ../src. Written by build.mjs.\n\n';
  writeFileSync(join(out, 'verify.js'), `${says}${code}\nexport { FAILURES, REMARKS, Report, readTrust, verify };\n`);
  writeFileSync(join(out, 'verify.html'), page);
  const digest = sha256(page, 'hex');
  writeFileSync(join(out, 'verify.html.sha256'), `${digest}  verify.html\n`);
  console.log(`${digest}  verify.html`);
} finally {
  rmSync(compiled, { recursive: true });
}
