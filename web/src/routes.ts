// Which address shows what. Addresses change without loading the page again.

import { Changing } from './changing.ts';

export type Route =
  | { name: 'chat'; id: string | null }
  | { name: 'shared'; token: string }
  | { name: 'fleet' }
  | { name: 'about' };

/** What stands at `path`; an address that nothing stands at shows an empty conversation. */
export function routeOf(path: string): Route {
  const [, room, rest] = path.split('/');
  if (room === 'c' && rest) return { name: 'chat', id: rest };
  if (room === 's' && rest) return { name: 'shared', token: rest };
  if (room === 'fleet') return { name: 'fleet' };
  if (room === 'about') return { name: 'about' };
  return { name: 'chat', id: null };
}

class Address extends Changing {
  route = routeOf(location.pathname);

  constructor() {
    super();
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  /** Shows what stands at `path`. */
  go(path: string, how: 'push' | 'replace' = 'push'): void {
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', path);
    this.#read();
  }

  #read(): void {
    this.route = routeOf(location.pathname);
    this.changed();
  }

  /** Takes clicks on links of this page that open it in the same window. */
  #follow(event: MouseEvent): void {
    const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
    const plain = !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!link || !plain || link.target || link.download || link.origin !== location.origin) return;
    if (!/^\/($|c\/|s\/|fleet$|about$)/.test(link.pathname) || link.hash) return;
    event.preventDefault();
    this.go(link.pathname);
  }
}

export const address = new Address();
