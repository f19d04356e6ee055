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
  }
}

export const theme = new Theme();
