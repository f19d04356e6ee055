// The tree that turns form: asking again adds a sibling with the same question, editing one with another. Pure.

import type { Turn } from './api.ts';

/** Which version of a turn the reader chose, by its parent; `''` stands for the first turn. */
export type Chosen = ReadonlyMap<string, string>;

const key = (parent: string | null) => parent ?? '';

/** A turn that is shown, among all that have the same parent, oldest first. */
export interface Version {
  turn: Turn;
  siblings: readonly Turn[];
}

/** The turns that are shown, first to last: the newest versions, unless others were chosen. */
export function shown(turns: readonly Turn[], chosen: Chosen): Version[] {
  const children = new Map<string, Turn[]>();
  for (const turn of turns) {
    const siblings = children.get(key(turn.parent));
    if (siblings) siblings.push(turn);
    else children.set(key(turn.parent), [turn]);
  }
  const path: Version[] = [];
  const seen = new Set<string>();
  let parent = '';
  for (;;) {
    const siblings = children.get(parent) ?? [];
    siblings.sort((one, other) => one.created_at_ms - other.created_at_ms);
    const wanted = chosen.get(parent);
    const next = siblings.find((turn) => turn.id === wanted) ?? siblings.at(-1);
    // A tree has no circles; one that the network made up must not hang the page.
    if (!next || seen.has(next.id)) return path;
    path.push({ turn: next, siblings });
    seen.add(next.id);
    parent = next.id;
  }
}

/** What was said before a question after `parent`, as the router takes it. */
export function said(turns: readonly Turn[], parent: string | null): { role: 'user' | 'assistant'; text: string }[] {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const back: Turn[] = [];
  let turn = parent === null ? undefined : byId.get(parent);
  while (turn && !back.includes(turn)) {
    back.push(turn);
    turn = turn.parent === null ? undefined : byId.get(turn.parent);
  }
  return back.reverse().flatMap((turn) => {
    const answer = turn.answer?.choices[0]?.message.content;
    const asked = { role: 'user' as const, text: turn.question };
    return answer ? [asked, { role: 'assistant' as const, text: answer }] : [asked];
  });
}
