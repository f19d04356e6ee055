// Numbers as the reader's language writes them.

import { language } from '../language.ts';

export function number(n: number): string {
  return new Intl.NumberFormat(language.code).format(n);
}

export function date(ms: number): string {
  return new Intl.DateTimeFormat(language.code, { dateStyle: 'medium' }).format(new Date(ms));
}
