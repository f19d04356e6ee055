// Digests, commitments and signatures, by WebCrypto.

import { type Bytes, hex, join, same, utf8 } from './bytes.js';

const subtle = globalThis.crypto?.subtle;
const none: Bytes = new Uint8Array(0);

export async function sha256(...parts: Bytes[]): Promise<Bytes> {
  return new Uint8Array(await subtle.digest('SHA-256', join(...parts)));
}

/** The salt below `salt` for `label`. */
export async function derive(salt: Bytes, label: string): Promise<Bytes> {
  const key = await subtle.importKey('raw', salt, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: none, info: utf8(label) };
  return new Uint8Array(await subtle.deriveBits(parameters, key, 256));
}

/** The commitment to `bytes` as `label` under `salt`, which serves for all labels. */
export async function commit(salt: Bytes, label: string, bytes: Bytes): Promise<Bytes> {
  const name = utf8(label);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
  const domain = utf8('consilium/commit/v1\0');
  return sha256(domain, Uint8Array.of(name.length), name, await derive(salt, label), length, bytes);
}

/** The points of small order, without their sign: what is signed with these is signed by anybody. */
const SMALL = new Set([
  '00'.repeat(32),
  '01' + '00'.repeat(31),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ec' + 'ff'.repeat(30) + '7f',
  'ed' + 'ff'.repeat(30) + '7f',
  'ee' + 'ff'.repeat(30) + '7f',
]);

function isSmall(point: Bytes): boolean {
  const unsigned = point.slice();
  unsigned[31]! &= 0x7f;
  return SMALL.has(hex(unsigned));
}

/** Whether `signature` is Ed25519 over `message` and of the key with the bytes `key`, which may be none. */
export async function signed(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false;
  if (isSmall(key) || isSmall(signature.slice(0, 32))) return false;
  try {
    const imported = await subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
    return await subtle.verify({ name: 'Ed25519' }, imported, signature, message);
  } catch {
    return false;
  }
}

export type Kind = 'card' | 'statement' | 'succession' | 'receipt';

export function payloadType(kind: Kind): string {
  return `application/vnd.consilium.${kind}.v1+protobuf`;
}

/** Whether `signature` is over `payload` as a `kind`, in DSSE's pre-authentication encoding. */
export async function fits(key: Bytes, kind: Kind, payload: Bytes, signature: Bytes): Promise<boolean> {
  const type = payloadType(kind);
  return signed(key, join(utf8(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload), signature);
}

/** Whether `entry` is leaf `index` of the Merkle tree (RFC 9162) of `size` leaves with `root`, as `path` says. */
export async function includes(root: Bytes, size: bigint, index: bigint, entry: Bytes, path: Bytes[]) {
  if (index >= size) return false;
  let [at, last] = [index, size - 1n];
  let hash = await sha256(Uint8Array.of(0), entry);
  for (const beside of path) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      hash = await sha256(Uint8Array.of(1), beside, hash);
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      hash = await sha256(Uint8Array.of(1), hash, beside);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && same(hash, root);
}
