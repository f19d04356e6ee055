// Signed notes, checkpoints and proofs (c2sp.org), and the keys that a reader trusts.

import { type Bytes, hex, join, unbase64, utf8 } from './bytes.js';
import { sha256, signed } from './crypto.js';

const NOTE_BYTES_MAX = 16 * 1024;
const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 4 * 1024;
const PATH_MAX = 48;
const ENTRIES_MAX = 1n << 48n;
const WITNESSES_MAX = 16;
const INDEX_MAX = (1n << 64n) - 1n;
const HEADER = 'c2sp.org/tlog-proof@v1';
const DASH = '\u2014 ';

/** A key with its name. */
export interface Vkey {
  name: string;
  id: string;
  algorithm: number;
  key: Bytes;
}

export interface Trust {
  receipts: Vkey;
  registry: Vkey;
  witnesses: Vkey[];
  witnessesMin: number;
}

interface Line {
  name: string;
  id: string;
  signature: Bytes;
}

export interface Note {
  text: string;
  lines: Line[];
}

export interface Checkpoint {
  origin: string;
  size: bigint;
  root: Bytes;
}

export interface Proof {
  index: bigint;
  path: Bytes[];
  note: Note;
  checkpoint: Checkpoint;
}

function isName(name: string): boolean {
  const length = utf8(name).length;
  return length >= 1 && length <= 255 && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

/** The key written as `name+hash+base64`; throws where it is none. */
async function readVkey(text: unknown, algorithm: number): Promise<Vkey> {
  if (typeof text !== 'string') throw new Error('The trust file is not of its form.');
  const [name, id, ...rest] = text.split('+') as [string, string, ...string[]];
  const bytes = unbase64(rest.join('+'));
  const hash = hex((await sha256(utf8(name + '\n'), bytes)).subarray(0, 4));
  if (!isName(name) || bytes.length !== 33 || bytes[0] !== algorithm || hash !== id) {
    throw new Error('A key in the trust file is not of its form: copy it again.');
  }
  return { name, id, algorithm, key: bytes.slice(1) };
}

/** The trust file in `json`; throws a sentence where it is none. */
export async function readTrust(json: string): Promise<Trust> {
  const fail = (): never => {
    throw new Error('The trust file is not of its form.');
  };
  const value = JSON.parse(json);
  const names = ['receipts', 'registry', 'v', 'witnesses', 'witnesses_min'];
  if (String(Object.keys(value ?? 0).sort()) !== String(names) || value.v !== 1) fail();
  const [receipts, registry] = [await readVkey(value.receipts, 1), await readVkey(value.registry, 1)];
  const router = (key: Vkey, kind: string) => (key.name.endsWith(kind) ? key.name.slice(0, -kind.length) : '');
  const name = router(receipts, '/receipts');
  if (!name || name !== router(registry, '/registry') || !Array.isArray(value.witnesses)) fail();
  const witnesses: Vkey[] = [];
  for (const witness of value.witnesses) witnesses.push(await readVkey(witness, 4));
  const count = (of: (key: Vkey) => string) => new Set(witnesses.map(of)).size;
  const twice = count((key) => key.name) < witnesses.length || count((key) => hex(key.key)) < witnesses.length;
  const min = value.witnesses_min;
  if (twice || witnesses.length > WITNESSES_MAX || !Number.isInteger(min) || min < 0 || min > witnesses.length) fail();
  return { receipts, registry, witnesses, witnessesMin: min };
}

function readLine(line: string): Line {
  const rest = line.startsWith(DASH) ? line.slice(DASH.length) : '';
  const space = rest.indexOf(' ');
  const [name, bytes] = [rest.slice(0, space), unbase64(rest.slice(space + 1))];
  if (space < 0 || !isName(name) || bytes.length <= 4) throw new Error('no signature');
  return { name, id: hex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
}

function readNote(note: string): Note {
  const at = note.lastIndexOf('\n\n');
  const clean = !/[\x00-\x09\x0b-\x1f\x7f]/.test(note);
  if (utf8(note).length > NOTE_BYTES_MAX || at < 0 || !clean || !note.endsWith('\n')) throw new Error('no note');
  return { text: note.slice(0, at + 1), lines: note.slice(at + 2, -1).split('\n').map(readLine) };
}

function number(text: string, max: bigint): bigint {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text) || BigInt(text) > max) throw new Error('no number');
  return BigInt(text);
}

function digest(text: string): Bytes {
  const bytes = unbase64(text);
  if (bytes.length !== 32) throw new Error('no digest');
  return bytes;
}

function readCheckpoint(text: string): Checkpoint {
  const [origin, size, root, end, ...more] = text.split('\n') as [string, string, string, string, ...string[]];
  if (end !== '' || more.length > 0) throw new Error('no checkpoint');
  return { origin, size: number(size, ENTRIES_MAX), root: digest(root) };
}

/** The proof in `text`; none where it is not in its one form. */
export function readProof(text: string): Proof | undefined {
  try {
    const at = text.indexOf('\n\n');
    if (at < 0 || utf8(text).length > PROOF_BYTES_MAX) return undefined;
    const [header, index, ...path] = text.slice(0, at).split('\n') as [string, string, ...string[]];
    if (header !== HEADER || !index.startsWith('index ') || path.length > PATH_MAX) return undefined;
    const note = readNote(text.slice(at + 2));
    const read = { index: number(index.slice(6), INDEX_MAX), path: path.map(digest) };
    return { ...read, note, checkpoint: readCheckpoint(note.text) };
  } catch {
    return undefined;
  }
}

/** The one line of `note` that is with `key`; throws where one names it by half, or two do. */
function lineOf(note: Note, key: Vkey): Line | undefined {
  let found: Line | undefined;
  for (const line of note.lines) {
    const [name, id] = [line.name === key.name, line.id === key.id];
    if (name !== id || (name && found)) throw new Error('another key');
    if (name) found = line;
  }
  return found;
}

/** Whether the log's `key` signed `note`. */
export async function isSigned(note: Note, key: Vkey): Promise<boolean> {
  try {
    const line = lineOf(note, key);
    return line !== undefined && (await signed(key.key, utf8(note.text), line.signature));
  } catch {
    return false;
  }
}

/** How many of `witnesses` signed `note`, and how many lines are of nobody; none where a line is wrong. */
export async function cosigned(note: Note, log: Vkey, witnesses: Vkey[]) {
  try {
    const known = new Set([lineOf(note, log)]);
    for (const witness of witnesses) {
      const line = lineOf(note, witness);
      if (!line) continue;
      known.add(line);
      if (line.signature.length < 8) return undefined;
      const time = new DataView(line.signature.buffer).getBigUint64(0);
      const message = join(utf8(`cosignature/v1\ntime ${time}\n`), utf8(note.text));
      if (!(await signed(witness.key, message, line.signature.slice(8)))) return undefined;
    }
    return { witnesses: known.size - 1, unknown: note.lines.length - known.size };
  } catch {
    return undefined;
  }
}
