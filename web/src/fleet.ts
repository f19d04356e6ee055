// Who is registered, as far as asking needs to know.

import { api, type Fleet, type Specialist } from './api.ts';
import { Changing } from './changing.ts';

/** How often an empty fleet is looked at again. */
const POLL_MS = 5000;

class Registered extends Changing {
  state: 'loading' | 'there' | 'failed' = 'loading';
  specialists: Specialist[] = [];
  #timer = 0;

  async load(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { specialists }: Fleet = await api.fleet();
      this.specialists = specialists;
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
    return this.specialists.find((one) => one.id === id)?.title ?? id;
  }
}

/** Whether `specialist` can be asked now, as far as is known. */
export function isUp({ enabled, health }: Specialist): boolean {
  const said = typeof health === 'string' ? health : ((health as { state?: string } | null | undefined)?.state ?? 'serving');
  return enabled && !['down', 'not_serving', 'unreachable', 'ejected'].includes(said.toLowerCase());
}

export const fleet = new Registered();
