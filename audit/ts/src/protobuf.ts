// Protobuf by a table of messages: read as generously as any reader, written in the one canonical form. What
// reads and writes to the same bytes is canonical.

import { type Bytes, join, same, textOf, utf8 } from './bytes.js';
import { SCHEMA } from './schema.js';

// The table says which fields there are; nothing else reaches them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Message = Record<string, any>;

interface Field {
  number: number;
  type: string;
  name: string;
  repeated: boolean;
  /** It is known whether it is there: a message, `optional` or in a `oneof`. */
  explicit: boolean;
  oneof: string;
}

const U32 = 0xffffffffn;
const DEPTH_MAX = 100;
const messages = new Map<string, Field[]>();
for (const line of SCHEMA.trim().split('\n')) {
  const [name, fields] = line.split(':') as [string, string];
  messages.set(name, fields.split(';').map(field));
}

/** A field of the table: `[repeated|optional|oneof.NAME] TYPE NAME NUMBER`. */
function field(text: string): Field {
  const words = text.trim().split(' ');
  const [type, name, number] = words.slice(-3) as [string, string, string];
  const how = words.length > 3 ? words[0]! : '';
  const oneof = how.startsWith('oneof.') ? how : '';
  const explicit = how === 'optional' || oneof !== '' || /^[A-Z]/.test(type);
  return { number: Number(number), type, name, repeated: how === 'repeated', explicit, oneof };
}

/** What the wire calls a field of this type. */
function wireType(type: string): number {
  if (type === 'string' || type === 'bytes' || messages.has(type)) return 2;
  if (type === 'float') return 5;
  return 0;
}

class Reader {
  at = 0;
  constructor(readonly bytes: Bytes) {}

  varint(): bigint {
    let value = 0n;
    for (let nth = 0; nth < 10; nth++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || (nth === 9 && byte > 1)) break;
      value |= BigInt(byte & 0x7f) << BigInt(7 * nth);
      if (byte < 0x80) return value;
    }
    throw new Error('no varint');
  }

  key(): [number, number] {
    const key = this.varint();
    const [tag, wire] = [Number(key >> 3n), Number(key & 7n)];
    if (key > U32 || wire > 5 || tag === 0) throw new Error('no key');
    return [tag, wire];
  }

  take(length: bigint): Bytes {
    if (length > BigInt(this.bytes.length - this.at)) throw new Error('too short');
    this.at += Number(length);
    return this.bytes.subarray(this.at - Number(length), this.at);
  }

  skip(tag: number, wire: number, depth: number): void {
    if (depth === 0 || wire === 4) throw new Error('no field');
    if (wire === 0) this.varint();
    else if (wire === 1) this.take(8n);
    else if (wire === 2) this.take(this.varint());
    else if (wire === 5) this.take(4n);
    else {
      for (let [inner, how] = this.key(); how !== 4 || inner !== tag; [inner, how] = this.key()) {
        this.skip(inner, how, depth - 1);
      }
    }
  }

  value(type: string): unknown {
    if (wireType(type) === 2) {
      const bytes = this.take(this.varint());
      if (type === 'bytes') return bytes;
      return type === 'string' ? textOf(bytes) : read(type, bytes);
    }
    if (type === 'float') {
      const bytes = this.take(4n);
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    }
    const value = this.varint();
    if (type === 'uint64') return value;
    if (type === 'bool') return value !== 0n;
    const low = value & U32;
    if (type === 'uint32') return Number(low);
    if (type === 'sint32') return Number(low >> 1n) ^ -Number(low & 1n);
    return Number(BigInt.asIntN(32, value));
  }
}

/** What a field is where it is not there. */
function absent({ type, repeated, explicit }: Field): unknown {
  if (repeated) return [];
  if (explicit) return undefined;
  const zeros: Message = { string: '', bytes: new Uint8Array(0), bool: false, uint64: 0n };
  return zeros[type] ?? 0;
}

/** What `bytes` say as a `type`, whatever else stands in them; throws where they say nothing. A float is its bits. */
export function read(type: string, bytes: Bytes): Message {
  const fields = messages.get(type)!;
  const message: Message = {};
  for (const field of fields) message[field.name] = absent(field);
  const reader = new Reader(bytes);
  while (reader.at < bytes.length) {
    const [tag, wire] = reader.key();
    const field = fields.find((field) => field.number === tag);
    if (!field) {
      reader.skip(tag, wire, DEPTH_MAX);
      continue;
    }
    if (wire !== wireType(field.type)) throw new Error('another type');
    const value = reader.value(field.type);
    if (field.repeated) message[field.name].push(value);
    else {
      for (const other of fields) if (field.oneof && other.oneof === field.oneof) message[other.name] = undefined;
      message[field.name] = value;
    }
  }
  return message;
}

function varint(value: bigint): Bytes {
  const bytes: number[] = [];
  for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(value));
}

/** `value` without its key. */
function written(type: string, value: any): Bytes {
  if (wireType(type) === 2) {
    const bytes = type === 'bytes' ? value : type === 'string' ? utf8(value) : write(type, value);
    return join(varint(BigInt(bytes.length)), bytes);
  }
  if (type === 'float') {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return bytes;
  }
  if (type === 'sint32') return varint(BigInt(((value << 1) ^ (value >> 31)) >>> 0));
  return varint(BigInt.asUintN(64, BigInt(value)));
}

function isAbsent({ type, explicit }: Field, value: any): boolean {
  if (explicit) return value === undefined;
  if (type === 'float') return (value & 0x7fffffff) === 0;
  return type === 'bytes' ? value.length === 0 : !value;
}

/** The one encoding of `message`. */
export function write(type: string, message: Message): Bytes {
  const parts: Bytes[] = [];
  for (const field of messages.get(type)!) {
    const key = varint((BigInt(field.number) << 3n) | BigInt(wireType(field.type)));
    const value = message[field.name];
    const values = field.repeated ? value : isAbsent(field, value) ? [] : [value];
    for (const one of values) parts.push(key, written(field.type, one));
  }
  return join(...parts);
}

/** What `bytes` say as a `type`, if they are the one encoding of it. */
export function canonical(type: string, bytes: Bytes): Message | undefined {
  try {
    const message = read(type, bytes);
    return same(write(type, message), bytes) ? message : undefined;
  } catch {
    return undefined;
  }
}
