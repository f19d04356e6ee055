// Numbers as the reader's language writes them.

import { language } from '../language.ts';
import { type Part, share } from './report.ts';

export function number(n: number): string {
  return new Intl.NumberFormat(language.code).format(n);
}

/** A share in whole percent; something that rounds to nothing is less than one. */
export function percent(part: Part): string {
  const value = share(part);
  const format = new Intl.NumberFormat(language.code, { style: 'percent', maximumFractionDigits: 0 });
  return value > 0 && value < 0.005 ? `<${format.format(0.01)}` : format.format(value);
}

export function date(ms: number): string {
  return new Intl.DateTimeFormat(language.code, { dateStyle: 'medium' }).format(new Date(ms));
}
