// Light or dark: as the system is, until the reader says otherwise.

import { Changing } from './changing.ts';
import { recall, remember } from './remembered.ts';

export type Choice = 'auto' | 'light' | 'dark';

class Theme extends Changing {
  choice: Choice = (recall('theme') as Choice | null) ?? 'auto';

  choose(choice: Choice): void {
    this.choice = choice;
    remember('theme', choice);
    this.apply();
    this.changed();
  }

  apply(): void {
    const { dataset } = document.documentElement;
    if (this.choice === 'auto') delete dataset.theme;
    else dataset.theme = this.choice;
    // What is around the page in an installed one, or on a phone, goes with it.
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
      const { of } = meta.dataset;
      meta.media = this.choice === 'auto' ? `(prefers-color-scheme: ${of})` : this.choice === of ? 'all' : 'not all';
    }
  }
}

export const theme = new Theme();
