// State outside of components: what changes says so, and components that use it are drawn again.

import { useLayoutEffect, useReducer } from 'preact/hooks';

export class Changing {
  #listeners = new Set<() => void>();

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Draws the component again whenever `state` changes, from the moment that it is first drawn. */
export function useChanging<State extends Changing>(state: State): State {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => state.subscribe(() => draw(undefined)), [state]);
  return state;
}
