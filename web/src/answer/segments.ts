// Whose words stand where: the answer cut wherever speaker, source, agreement or disagreement change. Pure.

import type { Answer } from './answer.ts';

export interface Segment {
  start: number;
  end: number;
  /** The span that it is of; those of one span are shown together. */
  span: number;
  /** None for the router's own words. */
  specialist: string | null;
  source: number | null;
  /** Who says the same. */
  also: string[];
  disputed: boolean;
}

/** All of the answer's text, in order, without gaps between spans. */
export function segments(answer: Answer): Segment[] {
  const { spans, agreements, disagreements } = answer;
  const ranges = [...agreements.map((one) => one.range), ...disagreements.flatMap((one) => [one.earlier, one.later])];
  const cuts = [...new Set(ranges.flatMap((range) => [range.start, range.end]))].sort((one, other) => one - other);
  const found: Segment[] = [];
  for (const [at, { start, end, specialist, citation }] of spans.entries()) {
    const within = cuts.filter((cut) => cut > start && cut < end);
    let from = start;
    for (const to of [...within, end]) {
      const covers = (range: { start: number; end: number }) => range.start < to && from < range.end;
      const also = agreements.filter((one) => covers(one.range)).map((one) => one.specialist);
      const disputed = disagreements.some((one) => covers(one.earlier) || covers(one.later));
      found.push({ start: from, end: to, span: at, specialist, source: citation?.source ?? null, also: [...new Set(also)], disputed });
      from = to;
    }
  }
  return found;
}

/** Those of `all`, which are in order, that overlap with what lies from `start` to `end`. */
export function within(all: readonly Segment[], start: number, end: number): Segment[] {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  const found: Segment[] = [];
  for (let at = low; at < all.length && all[at]!.start < end; at += 1) found.push(all[at]!);
  return found;
}

/** Two that are the same for a reader's eyes. */
export function alike(one: readonly Segment[], other: readonly Segment[]): boolean {
  const equal = (a: Segment, b: Segment) =>
    a.start === b.start &&
    a.end === b.end &&
    a.span === b.span &&
    a.specialist === b.specialist &&
    a.source === b.source &&
    a.disputed === b.disputed &&
    a.also.join() === b.also.join();
  return one.length === other.length && one.every((segment, at) => equal(segment, other[at]!));
}

// Marks of sources are set between characters that nobody else can bring: Markdown passes them by.
const [OPEN, CLOSE] = ['\ue000', '\ue001'];

/** Where a source's mark stands in text that was made `readable`. */
export const MARK = new RegExp(`${OPEN}(\\d{1,6})${CLOSE}`);

/**
 * `text` for the Markdown reader, as long as it was: the router's marks of sources cannot be taken for links, and
 * line ends are as the reader writes them.
 */
export function readable(text: string, all: readonly Segment[]): string {
  let plain = text.replace(/[\ue000\ue001]/g, '\ufffd').replace(/\r\n/g, ' \n').replace(/\r/g, '\n');
  for (const { specialist, start, end } of all) {
    if (specialist !== null) continue;
    const own = plain.slice(start, end);
    if (!own.includes('[')) continue;
    const marked = own.replace(/\[(\d{1,6})\]/g, (_, number: string) => `${OPEN}${number}${CLOSE}`);
    plain = plain.slice(0, start) + marked + plain.slice(end);
  }
  return plain;
}
