// The reader's conversations, as the router lists them.

import { api, type Summary } from '../api.ts';
import { Changing } from '../changing.ts';

/** How long to wait for more letters of a search. */
const TYPING_MS = 150;

class History extends Changing {
  conversations: Summary[] = [];
  retentionDays: number | null = null;
  query = '';
  state: 'loading' | 'there' | 'failed' = 'loading';
  #asked: AbortController | null = null;
  #timer = 0;

  search(query: string): void {
    this.query = query;
    this.changed();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.load(), TYPING_MS);
  }

  async load(): Promise<void> {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    try {
      const found = await api.list(this.query.trim(), asked.signal);
      // One whose first question was not taken has nothing to show.
      this.conversations = found.conversations.filter(({ title }) => title !== '');
      this.retentionDays = found.retention_days;
      this.state = 'there';
    } catch {
      if (asked.signal.aborted) return;
      this.state = 'failed';
    }
    this.changed();
  }
}

export const history = new History();
