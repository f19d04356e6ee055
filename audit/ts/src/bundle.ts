// receipt.json: read in its one form only.

import { base64, type Bytes, same, textOf, unbase64, utf8 } from './bytes.js';
import { payloadType } from './crypto.js';

const BYTES_MAX = 64 * 1024 * 1024;

export interface Institution {
  card: Bytes;
  entry: Bytes;
  proof: string;
}

export interface Path {
  index: bigint;
  hashes: Bytes[];
}

export interface OpenCall {
  request: Bytes;
  answer: string;
  passages: { passage: Bytes; path: Path | undefined }[];
}

export interface Opening {
  salt: Bytes;
  question: Bytes;
  derivation: Bytes;
  text: string;
  calls: OpenCall[];
}

export interface Bundle {
  payload: Bytes;
  signature: Bytes;
  keyid: string;
  leafSalt: Bytes;
  proof: string;
  institutions: Institution[];
  opening: Opening | undefined;
}

function text(value: any): string {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) throw new Error('no text');
  return value;
}

function bytes(value: any, length?: number): Bytes {
  const read = unbase64(text(value));
  if (length !== undefined && read.length !== length) throw new Error('another length');
  return read;
}

function list<T>(value: any, read: (one: any) => T): T[] {
  if (!Array.isArray(value)) throw new Error('no list');
  return value.map(read);
}

function path(value: any): Path | undefined {
  if (value === null) return undefined;
  if (!Number.isSafeInteger(value.index) || value.index < 0) throw new Error('no index');
  return { index: BigInt(value.index), hashes: list(value.hashes, (hash) => bytes(hash, 32)) };
}

function call(value: any): OpenCall {
  const passage = (one: any) => ({ passage: bytes(one.passage), path: path(one.path) });
  return { request: bytes(value.request), answer: text(value.answer), passages: list(value.passages, passage) };
}

function opening(value: any): Opening | undefined {
  if (value === null) return undefined;
  const [salt, question, derivation] = [bytes(value.salt, 32), bytes(value.question), bytes(value.derivation)];
  return { salt, question, derivation, text: text(value.text), calls: list(value.calls, call) };
}

function institution(value: any): Institution {
  return { card: bytes(value.card), entry: bytes(value.entry), proof: text(value.proof) };
}

/** `bundle` in its one form. */
function rewritten(bundle: Bundle): string {
  const { payload, signature, keyid, leafSalt, proof, opening } = bundle;
  const path = (path: Path | undefined) =>
    path ? { index: Number(path.index), hashes: path.hashes.map(base64) } : null;
  const call = ({ request, answer, passages }: OpenCall) => ({
    request: base64(request),
    answer,
    passages: passages.map((one) => ({ passage: base64(one.passage), path: path(one.path) })),
  });
  return JSON.stringify({
    v: 1,
    receipt: {
      payloadType: payloadType('receipt'),
      payload: base64(payload),
      signatures: [{ keyid, sig: base64(signature) }],
    },
    leaf_salt: base64(leafSalt),
    proof,
    institutions: bundle.institutions.map(({ card, entry, proof }) => ({
      card: base64(card),
      entry: base64(entry),
      proof,
    })),
    opening: opening
      ? {
          salt: base64(opening.salt),
          question: base64(opening.question),
          derivation: base64(opening.derivation),
          text: opening.text,
          calls: opening.calls.map(call),
        }
      : null,
  });
}

/** The receipt.json in `json`; none where it is not in its one form. */
export function readBundle(json: Bytes): Bundle | undefined {
  try {
    if (json.length > BYTES_MAX) return undefined;
    const value = JSON.parse(textOf(json));
    const [one] = value.receipt.signatures;
    const bundle = {
      payload: bytes(value.receipt.payload),
      signature: bytes(one.sig, 64),
      keyid: text(one.keyid),
      leafSalt: bytes(value.leaf_salt, 32),
      proof: text(value.proof),
      institutions: list(value.institutions, institution),
      opening: opening(value.opening),
    };
    return same(utf8(rewritten(bundle)), json) ? bundle : undefined;
  } catch {
    return undefined;
  }
}
