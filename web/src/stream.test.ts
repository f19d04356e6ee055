import assert from 'node:assert/strict';
import { test } from 'node:test';

import { events } from './stream.ts';

/** A body that comes in the pieces given. */
function body(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
      controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const value of events(stream)) found.push(value);
  return found;
}

test('values come whole, however the stream was cut', async () => {
  const bytes = new TextEncoder().encode(': keep-alive\n\ndata: {"a":"🐝"}\r\n\r\ndata: 2\n\ndata: [DONE]\n\ndata: 3\n\n');
  for (let cut = 1; cut < bytes.length; cut += 1) {
    assert.deepEqual(await all(body(bytes.slice(0, cut), bytes.slice(cut))), [{ a: '🐝' }, 2]);
  }
});

test('a stream without its end is an error', async () => {
  await assert.rejects(all(body('data: 1\n\n')));
  await assert.rejects(all(body('data: {"broken\n\n')));
});
