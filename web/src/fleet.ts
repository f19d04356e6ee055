// Who is registered, as far as asking needs to know.

import { api, type Fleet, type Specialist } from './api.ts';
import { Changing } from './changing.ts';

/** How often an empty fleet is looked at again. */
const POLL_MS = 5000;

class Registered extends Changing {
  state: 'loading' | 'there' | 'failed' = 'loading';
  specialists: Specialist[] = [];
  #names = new Map<string, string>();
  #timer = 0;

  async load(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { specialists }: Fleet = await api.fleet();
      this.specialists = specialists;
      this.#names = namesOf(specialists);
      this.state = 'there';
    } catch {
      this.state = 'failed';
    }
    if (this.specialists.length === 0) this.#timer = window.setTimeout(() => void this.load(), POLL_MS);
    this.changed();
  }

  /** Those who ask for consent before they see a question. */
  asking(): string[] {
    return this.specialists.filter((one) => one.asks_consent && one.enabled).map(({ id }) => id);
  }

  title(id: string): string {
    return this.#names.get(id) ?? id;
  }
}

/** The titles of `specialists` by id; where several have one title, with whose each is. */
export function namesOf(specialists: readonly Specialist[]): Map<string, string> {
  const count = new Map<string, number>();
  for (const { title } of specialists) count.set(title, (count.get(title) ?? 0) + 1);
  return new Map(specialists.map(({ id, title, institution }) => [id, count.get(title) === 1 ? title : `${title}, ${institution}`]));
}

/** Whether `specialist` can be asked now, as far as is known. */
export function isUp({ health }: Specialist): boolean {
  return health === 'up';
}

export const fleet = new Registered();
