import { language } from '../language.ts';

/** Making one takes longer than all else that is done for an answer's figures. */
const formats = new Map<string, Intl.NumberFormat>();

/** A share from 0 to 1 in whole percent, as the reader's language writes it; only none is 0 % and only all is 100 %. */
export function percent(share: number): string {
  const { code } = language;
  const format = formats.get(code) ?? new Intl.NumberFormat(code, { style: 'percent', maximumFractionDigits: 0 });
  formats.set(code, format);
  if (share > 0 && share < 0.005) return `<${format.format(0.01)}`;
  if (share < 1 && share >= 0.995) return `>${format.format(0.99)}`;
  return format.format(share);
}

/** A likelihood in whole percent. Near its ends it is a sum that was rounded: nothing is certain. */
export function likelihood(p: number): string {
  return percent(Math.min(Math.max(p, 0.001), 0.999));
}
