// Who is registered, as far as asking needs to know.

import { api, type Fleet, type Specialist } from './api.ts';
import { Changing } from './changing.ts';

/** How often an empty fleet is looked at again. */
const POLL_MS = 5000;

type Named = Pick<Specialist, 'id' | 'title' | 'institution'>;

class Registered extends Changing {
  state: 'loading' | 'there' | 'failed' = 'loading';
  /** Those who are asked most, as many as the router lists at once. */
  specialists: Specialist[] = [];
  /** How many there are. */
  count = 0;
  up = 0;
  /** Somebody asks for consent before they see a question. */
  asksConsent = false;
  general: Fleet['general'] = null;
  #known = new Map<string, Named>();
  #names = new Map<string, string>();
  #timer = 0;

  async load(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { specialists, registered, up, asks_consent, general } = await api.fleet('');
      Object.assign(this, { specialists, count: registered, up, asksConsent: asks_consent, general, state: 'there' });
      this.know(specialists);
    } catch {
      this.state = 'failed';
    }
    if (this.count === 0) this.#timer = window.setTimeout(() => void this.load(), POLL_MS);
    this.changed();
  }

  /** Those in whose names `query` stands. */
  async find(query: string, signal: AbortSignal): Promise<Specialist[]> {
    const wanted = query.trim().toLowerCase();
    const called = ({ title, institution, id }: Named) => `${title} ${institution} ${id}`.toLowerCase().includes(wanted);
    if (this.specialists.length >= this.count) return this.specialists.filter(called);
    const { specialists } = await api.fleet(wanted, signal);
    this.know(specialists);
    return specialists;
  }

  /** Keeps what `ones` are called. */
  know(ones: readonly Named[]): void {
    for (const { id, title, institution } of ones) this.#known.set(id, { id, title, institution });
    this.#names = namesOf([...this.#known.values()]);
  }

  title(id: string): string {
    return this.#names.get(id) ?? id;
  }
}

/** The titles of `ones` by id; where several have one title, with whose each is. */
export function namesOf(ones: readonly Named[]): Map<string, string> {
  const count = new Map<string, number>();
  for (const { title } of ones) count.set(title, (count.get(title) ?? 0) + 1);
  return new Map(ones.map(({ id, title, institution }) => [id, count.get(title) === 1 ? title : `${title}, ${institution}`]));
}

/** Whether `specialist` can be asked now, as far as is known. */
export function isUp({ health }: Specialist): boolean {
  return health === 'up';
}

export const fleet = new Registered();
