// Bytes: how they are joined, compared, and written as text. Whatever can be written in two ways is refused
// in all but one.

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

/** The text that `bytes` are in UTF-8; throws where they are none. */
export function textOf(bytes: Bytes): string {
  return decoder.decode(bytes);
}

export function join(...parts: Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function same(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of standard base64 with padding, in its one form; throws for any other. */
export function unbase64(text: string): Bytes {
  const raw = atob(text);
  if (btoa(raw) !== text) throw new Error('no base64 in its one form');
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

export function base64(bytes: Bytes): string {
  let raw = '';
  for (const byte of bytes) raw += String.fromCharCode(byte);
  return btoa(raw);
}

/** The bytes from `start` to `end` of a text in UTF-8, if both lie on characters' boundaries. */
export function range(text: Bytes, start: number, end: number): Bytes | undefined {
  const boundary = (at: number) => at === text.length || (at < text.length && (text[at]! & 0xc0) !== 0x80);
  return start <= end && boundary(start) && boundary(end) ? text.subarray(start, end) : undefined;
}
