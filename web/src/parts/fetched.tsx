// What a page needs from the router before it shows anything.

import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';

import { send } from '../api.ts';
import { texts } from '../language.ts';
import { words } from './notes.tsx';

interface Props<Body> {
  path: string;
  children: (body: Body) => ComponentChildren;
}

/** Shows what stands at `path` once it is there, or what went wrong and a way to try again. */
export function Fetched<Body>({ path, children }: Props<Body>) {
  const [body, set] = useState<Body>();
  const [error, fail] = useState<unknown>();
  const load = useCallback((signal?: AbortSignal) => {
    fail(undefined);
    send('GET', path, undefined, signal)
      .then((response) => response.json())
      .then(set, (error: unknown) => signal?.aborted || fail(error));
  }, [path]);
  useEffect(() => {
    const left = new AbortController();
    load(left.signal);
    return () => left.abort();
  }, [load]);
  if (body !== undefined) return <>{children(body)}</>;
  if (error === undefined) return <p class="grey" role="status">{texts().app.loading}</p>;
  return (
    <p role="alert">
      {words(error)} <button type="button" class="button" onClick={() => load()}>{texts().app.retry}</button>
    </p>
  );
}
