// What the router says of its fleet, and the two tables of who is mistaken for whom that follow from it. Pure.

import type { Specialist } from '../api.ts';

export interface Latency {
  median_ms: number;
  longest_ms: number;
}

export interface Share {
  asked: number;
  taken: number;
}

export interface Exam {
  examined_at_ms: number;
  general: boolean;
  own: { asked: number; led: number; uncovered: number };
  overlaps: { specialist_id: string; neighbour: boolean; asked: number; taken: number; lost: number }[];
  unrelated_specialists: number;
  unrelated_questions: Share;
  unrelated_prototypes: Share;
  refused: boolean;
  answers: null | {
    asked: number;
    answered: number;
    no_answer: number;
    cited: number;
    broken: number;
    first_words: Latency | null;
    end: Latency | null;
  };
}

export interface Member extends Specialist {
  license: string;
  notice: string;
  intended_use: string;
  retention: string;
  generator: string;
  weights_openness: string | null;
  data_openness: string | null;
  passage_count: number;
  history_turns_max: number;
  key: string | null;
  key_revoked: boolean;
  card_sha256: string;
  registered_at_ms: number;
  considered: number;
  asked: number;
  answered: number;
  no_answer: number;
  timeout: number;
  failed: number;
  won: number;
  exam: Exam | null;
  despite_exam: boolean;
}

export interface Pair {
  won: string;
  other: string;
  asked: number;
  second: number;
}

export interface Report {
  name: string;
  version: string;
  registered: number;
  up: number;
  limits: { turn_bytes_max: number; turns_max: number; specialists_max: number; answer_ms: number };
  tally: { turns_max: number; turns: number; asked: number; abstained: number; pairs: Pair[] };
  specialists: Member[];
}

/** So many of so many. */
export interface Part {
  n: number;
  of: number;
}

/** The share of a part, from 0 to 1. */
export function share({ n, of }: Part): number {
  return of > 0 ? n / of : 0;
}

/** Rows and columns are the same specialists, in the same order; `null` where nothing was counted. */
export type Matrix = (Part | null)[][];

/** More specialists than this make no table that anybody reads: those who are asked most are shown. */
export const MATRIX_MAX = 24;

/** Those whom a table shows, in the order of the report. */
export function shown(members: Member[]): Member[] {
  if (members.length <= MATRIX_MAX) return members;
  const most = new Set([...members].sort((a, b) => b.asked - a.asked).slice(0, MATRIX_MAX));
  return members.filter((member) => most.has(member));
}

/**
 * To whom the exams' questions went: a row's own, by column. Whose a question of one specialist is beside another was
 * tried when the later of the two was examined; an exam names only those who share some.
 */
export function examined(members: Member[]): Matrix {
  const overlap = ({ exam }: Member, { id }: Member) => exam?.overlaps.find((one) => one.specialist_id === id);
  const cell = (owner: Member, taker: Member): Part | null => {
    const [mine, theirs] = [owner.exam, taker.exam];
    if (!mine || !theirs || mine.general || theirs.general) return null;
    if (owner === taker) return mine.own.asked > 0 ? { n: mine.own.led, of: mine.own.asked } : null;
    if (theirs.examined_at_ms > mine.examined_at_ms) {
      const { taken, asked } = overlap(taker, owner) ?? { taken: 0, asked: 0 };
      return { n: taken, of: asked };
    }
    return mine.own.asked > 0 ? { n: overlap(owner, taker)?.lost ?? 0, of: mine.own.asked } : null;
  };
  return members.map((owner) => members.map((taker) => cell(owner, taker)));
}

/** How many of each specialist's own questions were too far from everybody. */
export function uncovered(members: Member[]): (Part | null)[] {
  const part = ({ exam }: Member) =>
    exam && !exam.general && exam.own.asked > 0 ? { n: exam.own.uncovered, of: exam.own.asked } : null;
  return members.map(part);
}

/** Who else was asked, or came second, in the turns that a row's specialist won. */
export function rivals(members: Member[], pairs: Pair[], what: 'asked' | 'second'): Matrix {
  const found = new Map(pairs.map((pair) => [`${pair.won} ${pair.other}`, pair[what]]));
  return members.map((winner) =>
    members.map((other) => {
      if (winner === other || winner.won === 0) return null;
      return { n: found.get(`${winner.id} ${other.id}`) ?? 0, of: winner.won };
    }),
  );
}
