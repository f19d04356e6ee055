// Which blocks are whose: what one speaker says in one go is a section. Pure.

import type { Answer } from './answer.ts';
import type { Block } from './blocks.ts';
import { type Segment, within } from './segments.ts';

export interface Part {
  block: Block;
  segments: Segment[];
}

export interface Section {
  /** None for what the router says by itself. */
  specialist: string | null;
  parts: Part[];
  /** Its speaker says nothing after it. */
  last: boolean;
}

/** `blocks` in sections; the router's words before somebody's first ones open that section. */
export function sections(blocks: readonly Block[], all: readonly Segment[]): Section[] {
  const found: Section[] = [];
  for (const block of blocks) {
    if (block.token.type === 'space') continue;
    const segments = within(all, block.start, block.start + block.raw.length);
    const specialist = segments.find((segment) => segment.specialist !== null)?.specialist ?? null;
    const current = found.at(-1);
    const part = { block, segments };
    if (current && current.specialist === specialist) current.parts.push(part);
    else found.push({ specialist, parts: [part], last: false });
  }
  const seen = new Set<string | null>();
  for (const section of found.toReversed()) {
    section.last = section.specialist !== null && !seen.has(section.specialist);
    seen.add(section.specialist);
  }
  return found;
}

/** Whether the words of `specialist` ended before it had said all. */
export function isUnfinished(answer: Answer, specialist: string | null): boolean {
  const status = answer.routing?.considered.find(({ id }) => id === specialist)?.status;
  return answer.reason !== null && (status === 'timeout' || status === 'failed');
}
