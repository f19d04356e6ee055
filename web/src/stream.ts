// Server-sent events: the lines of a response, as values.

import { pause } from './pause.ts';

/** How long values are handed out in one go, so that many at once do not hold up the page. */
const AT_ONCE_MS = 8;

/** The values of `data:` lines in `body` until `[DONE]`; throws where the body ends without it. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  let since = performance.now();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream broke off');
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith('data:')) continue;
        const data = line.slice('data:'.length).trim();
        if (data === '[DONE]') return;
        yield JSON.parse(data);
        if (performance.now() - since > AT_ONCE_MS) {
          await pause();
          since = performance.now();
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
