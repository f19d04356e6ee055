// Short words about what just happened: shown for a while, and told to screen readers.

import { Changing, useChanging } from '../changing.ts';
import { Failure } from '../api.ts';
import { texts } from '../language.ts';

const SHOWN_MS = 4000;

class Notes extends Changing {
  shown = '';
  told = '';
  #timer = 0;

  /** Shows `text`, and tells it. */
  show(text: string): void {
    clearTimeout(this.#timer);
    this.shown = text;
    this.told = text;
    this.#timer = window.setTimeout(() => {
      this.shown = '';
      this.changed();
    }, SHOWN_MS);
    this.changed();
  }

  /** Tells `text` to those who do not see. */
  tell(text: string): void {
    this.told = '';
    this.changed();
    // The same words twice are told twice only where they were gone in between.
    requestAnimationFrame(() => {
      this.told = text;
      this.changed();
    });
  }
}

export const notes = new Notes();

export function NotesView() {
  const { shown, told } = useChanging(notes);
  return (
    <>
      <div class="hidden" role="status">{told}</div>
      {shown && <div class="note" aria-hidden="true">{shown}</div>}
    </>
  );
}

/** What went wrong, in the reader's language as far as it is known. */
export function words(error: unknown): string {
  const t = texts().errors;
  if (!(error instanceof Failure)) return t.unknown;
  if (error.status === 0) return t.offline;
  switch (error.code) {
    case 'rate_limit_exceeded':
      return t.quota(error.retryAfterSeconds);
    case 'unanswered':
      return t.busy;
    case 'conversation_not_found':
      return t.missing;
    case 'conversation_limit':
      return t.limit;
    default:
      return t.other(error.message);
  }
}

/** Waits for `work`, and says where it fails; whether it did not. */
export async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    notes.show(words(error));
    return false;
  }
}
