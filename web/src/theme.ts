// Light or dark: as the system is, until the reader says otherwise.

import { Changing } from './changing.ts';

export type Choice = 'auto' | 'light' | 'dark';

const KEY = 'consilium.theme';

class Theme extends Changing {
  choice: Choice = (localStorage.getItem(KEY) as Choice | null) ?? 'auto';

  choose(choice: Choice): void {
    this.choice = choice;
    localStorage.setItem(KEY, choice);
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
