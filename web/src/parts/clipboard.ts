import { texts } from '../language.ts';
import { notes } from './notes.tsx';

/** Copies `text` and says so with `done`, or says that it cannot be done. */
export async function copy(text: string, done: string): Promise<void> {
  notes.show((await written(text)) ? done : texts().errors.copy);
}

async function written(text: string): Promise<boolean> {
  try {
    // At an address that is not secure, browsers have no such thing as a clipboard.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return selected(text);
  }
}

/** The old way: what is selected is copied. */
function selected(text: string): boolean {
  const area = Object.assign(document.createElement('textarea'), { value: text, readOnly: true });
  // Where a dialog is open, nothing outside of it can be selected.
  const place = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  place.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
