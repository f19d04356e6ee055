// An answer as the page holds it, from a whole completion or from chunks of one. Offsets count UTF-16 code units here.

import type { Agreement, Chunk, Citation, Completion, Disagreement, Ours, Range, Receipt, Routing, Span } from '../api.ts';

export interface Answer {
  text: string;
  routing: Routing | null;
  citations: Citation[];
  spans: Span[];
  agreements: Agreement[];
  disagreements: Disagreement[];
  notices: { specialist: string; text: string }[];
  leftOut: string[];
  receipt: Receipt | null;
  /** Why it ended; none while it has not. */
  reason: string | null;
}

const EMPTY: Answer = {
  text: '',
  routing: null,
  citations: [],
  spans: [],
  agreements: [],
  disagreements: [],
  notices: [],
  leftOut: [],
  receipt: null,
  reason: null,
};

/** From an offset in code points of `text` to one in code units. */
export function unitsOf(text: string): (points: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (points) => Math.min(points, text.length);
  const units: number[] = [];
  let at = 0;
  for (const character of text) {
    units.push(at);
    at += character.length;
  }
  return (points) => units[points] ?? text.length;
}

function moved<R extends Range>(range: R, unit: (points: number) => number): R {
  return { ...range, start: unit(range.start), end: unit(range.end) };
}

/** The whole answer in `completion`. */
export function answerOf(completion: Completion): Answer {
  const text = completion.choices[0]?.message.content ?? '';
  return ended({ ...EMPTY, text }, completion.consilium, completion.citations ?? []);
}

/** An answer that comes in chunks. */
export class Growing {
  answer: Answer = EMPTY;
  /** Takes a chunk in; every change makes a new answer, so that what compares sees it. */
  take(chunk: Chunk): void {
    const { choices, citations, consilium: ours } = chunk;
    const content = choices?.[0]?.delta.content ?? '';
    const next = { ...this.answer };
    const start = next.text.length;
    if (content) next.text += content;
    if (ours?.span) {
      const span = { ...ours.span, start, end: next.text.length };
      next.spans = [...next.spans, span];
    }
    if (ours?.routing) next.routing = ours.routing;
    if (ours?.receipt) next.receipt = ours.receipt;
    if (ours?.citation) next.citations = [...next.citations, ours.citation];
    if (ours?.agreement || ours?.disagreement) this.#compare(next, ours);
    this.answer = choices?.[0]?.finish_reason && ours ? ended(next, ours, citations ?? next.citations) : next;
  }

  #compare(next: Answer, ours: Ours): void {
    const unit = unitsOf(next.text);
    const { agreement, disagreement } = ours;
    if (agreement) next.agreements = [...next.agreements, { ...agreement, range: moved(agreement.range, unit) }];
    if (disagreement) {
      const { earlier, later } = disagreement;
      const both = { ...disagreement, earlier: moved(earlier, unit), later: moved(later, unit) };
      next.disagreements = [...next.disagreements, both];
    }
  }
}

/** `answer` with all that is known once it has ended. */
function ended(answer: Answer, ours: Ours, citations: Citation[]): Answer {
  const unit = unitsOf(answer.text);
  return {
    ...answer,
    citations,
    routing: ours.routing ?? answer.routing,
    receipt: ours.receipt ?? answer.receipt,
    spans: ours.spans?.map((span) => moved(span, unit)) ?? answer.spans,
    agreements: ours.agreements?.map((one) => ({ ...one, range: moved(one.range, unit) })) ?? answer.agreements,
    disagreements:
      ours.disagreements?.map((one) => ({ ...one, earlier: moved(one.earlier, unit), later: moved(one.later, unit) })) ??
      answer.disagreements,
    notices: (ours.notices ?? []).filter((notice) => notice.text !== ''),
    leftOut: (ours.left_out ?? []).map((one) => one.specialist),
    reason: ours.reason ?? 'unspecified',
  };
}

/** Who is known by `id` in `answer`; the id itself where nobody is. */
export function speaker(answer: Answer, id: string): { title: string; institution: string } {
  const found = answer.routing?.considered.find((candidate) => candidate.id === id);
  return found ?? { title: id, institution: '' };
}

/** Words of an answer without their Markdown, where they are quoted. */
export function plainly(text: string): string {
  return text.replace(/(?<!\w)[*_]+|[*_]+(?!\w)|[`#|]+/g, '').trim();
}

/** The sources that words or agreements cite, by number. */
export function citedSources(answer: Answer): Citation[] {
  const cited = new Set([...answer.spans, ...answer.agreements].map((one) => one.citation?.source));
  return answer.citations.filter((citation) => cited.has(citation.number));
}
