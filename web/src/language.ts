// The page's own texts, in the reader's language. A file in `messages/` is a language.

import { Changing } from './changing.ts';
import en from './messages/en.ts';
import { recall, remember } from './remembered.ts';

export type Texts = typeof en;

const OTHERS = import.meta.glob<{ default: Texts }>(['./messages/*.ts', '!./messages/en.ts']);

function fileOf(code: string): string {
  return `./messages/${code}.ts`;
}

/** The codes of all languages that the page speaks. */
export const LANGUAGES = ['en', ...Object.keys(OTHERS).map((file) => file.slice('./messages/'.length, -'.ts'.length))].sort();

class Language extends Changing {
  code = 'en';
  texts: Texts = en;

  /** Speaks the language with this `code`, where there is one. */
  async speak(code: string): Promise<void> {
    // A language that cannot be fetched must not take the page away.
    const found = await OTHERS[fileOf(code)]?.().catch(() => null);
    this.texts = found?.default ?? en;
    this.code = found ? code : 'en';
    document.documentElement.lang = this.code;
    this.changed();
  }

  choose(code: string): void {
    remember('language', code);
    void this.speak(code);
  }
}

export const language = new Language();

/** The texts of the language that is spoken now. */
export function texts(): Texts {
  return language.texts;
}

/** Speaks what the reader chose before, else the first of the browser's languages that there is. */
export function speakTheirs(): Promise<void> {
  const wanted = [recall('language'), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  const code = wanted.find((code) => code && LANGUAGES.includes(code));
  return code && code !== 'en' ? language.speak(code) : Promise.resolve();
}
