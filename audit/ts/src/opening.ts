// Whether what was opened is what was committed to, and whether each specialist was asked what the user asked
// and nothing else.

import type { OpenCall, Opening, Path } from './bundle.js';
import { type Bytes, range, same, utf8 } from './bytes.js';
import { type Called, Vouching } from './calls.js';
import { commit, derive, includes } from './crypto.js';
import { canonical, type Message } from './protobuf.js';
import type { Report } from './report.js';

const PASSAGES_MAX = 32;
const HISTORY_TURNS_MAX = 16;
const USER = 1;
/** The reasons for which earlier turns are used. */
const FOLLOWS = [5, 6];

/** What an opened call holds. */
export interface Opened {
  answer: Bytes;
  /** The texts of its passages; none for one that cannot be read. */
  passages: (Bytes | undefined)[];
}

/** A question, as a specialist may see it. */
interface Asked {
  requestId: string;
  /** What the user said, the question last; none where it cannot be read. */
  turns: string[];
  /** It was routed together with what the user said before it. */
  follows: boolean;
}

/** Checks what `opening` says of `receipt` and of each of `calls`. */
export async function checkOpening(
  opening: Opening,
  receipt: Message,
  calls: Called[],
  report: Report,
): Promise<{ ask: Message | undefined; opened: Opened[] }> {
  const opens = async (label: string, bytes: Bytes, committed: Bytes) =>
    same(await commit(opening.salt, label, bytes), committed);
  report.demand(await opens('question', opening.question, receipt.question), 'question_not_committed', '');
  const derived = await opens('derivation', opening.derivation, receipt.derivation);
  report.demand(derived, 'derivation_not_committed', '');
  report.demand(await opens('text', utf8(opening.text), receipt.text), 'text_not_committed', '');
  const ask = canonical('AskRequest', opening.question);
  report.demand(ask !== undefined, 'question_not_canonical', '');
  const asked = {
    requestId: receipt.request_id,
    turns: ask ? usersTurns(ask) : [],
    follows: FOLLOWS.includes(receipt.decision?.history),
  };
  report.demand(opening.calls.length === calls.length, 'opening_differs', '');
  const opened: Opened[] = [];
  for (const [at, open] of opening.calls.entries()) {
    const called = calls[at];
    if (!called) break;
    const salt = await derive(opening.salt, `call/${called.call.specialist_id}`);
    await checkRequest(open, called, asked, salt, report);
    opened.push(await checkAnswer(open, called, salt, report));
  }
  return { ask, opened };
}

/** What the user said, if the last turn is the user's. */
function usersTurns(ask: Message): string[] {
  if (ask.turns.at(-1)?.role !== USER) return [];
  return ask.turns.filter((turn: Message) => turn.role === USER).map((turn: Message) => turn.text);
}

async function checkRequest(open: OpenCall, called: Called, asked: Asked, salt: Bytes, report: Report) {
  const { place, call, registered } = called;
  const committed = same(await commit(salt, 'request', open.request), call.request);
  report.demand(committed, 'request_not_committed', place);
  const request = canonical('AnswerRequest', open.request);
  report.demand(request !== undefined, 'request_not_canonical', place);
  if (!request) return;
  const turnsMax: number = registered ? registered.card.history_turns_max : HISTORY_TURNS_MAX;
  const said: Message[] = request.turns;
  const before = asked.turns.length - said.length;
  const follows =
    request.request_id === asked.requestId &&
    same(request.salt, salt) &&
    request.passages_max >= 1 &&
    request.passages_max <= PASSAGES_MAX &&
    said.every((turn) => turn.role === USER) &&
    said.length > 0 &&
    said.length - 1 <= (asked.follows ? turnsMax : 0) &&
    before >= 0 &&
    said.every((turn, at) => turn.text === asked.turns[before + at]);
  report.demand(follows, 'hidden_prompt', place);
}

async function checkAnswer(open: OpenCall, called: Called, salt: Bytes, report: Report): Promise<Opened> {
  const { place, call, statement } = called;
  const answer = utf8(open.answer);
  report.demand(same(await commit(salt, 'answer', answer), call.answer), 'answer_not_committed', place);
  report.demand(open.passages.length === call.passages.length, 'opening_differs', place);
  const passages: (Bytes | undefined)[] = [];
  for (const [at, { passage, path }] of open.passages.entries()) {
    const committed = call.passages[at];
    if (!committed) break;
    const here = `${place}, passage ${at + 1}`;
    const commitment = await commit(salt, `passage/${at}`, passage);
    report.demand(same(commitment, committed), 'passage_not_committed', here);
    const read = canonical('Passage', passage);
    const whole = read && read.similarity === 0 ? read : undefined;
    report.demand(whole !== undefined, 'passage_not_canonical', here);
    report.demand(await isInCorpus(passage, path, called), 'passage_not_in_manifest', here);
    passages.push(whole && utf8(whole.text));
  }
  if (statement) {
    const within = statement.citations.every((citation: Message) => {
      const passage = passages[citation.passage];
      const there = !passage || range(passage, citation.start_bytes, citation.end_bytes);
      return there && range(answer, citation.answer_start_bytes, citation.answer_end_bytes);
    });
    report.demand(within, 'statement_citations_wrong', place);
  }
  return { answer, passages };
}

/**
 * Whether a passage is shown to be of the corpus in the card. Nobody vouches for one in an answer that is not
 * signed, was refused or broke off.
 */
async function isInCorpus(passage: Bytes, path: Path | undefined, { call, answered }: Called): Promise<boolean> {
  if (!answered || call.vouching !== Vouching.SIGNED) return true;
  const root: Bytes = answered.card.passages_root;
  if (root.length !== 32) return path === undefined;
  return path !== undefined && includes(root, answered.card.passage_count, path.index, passage, path.hashes);
}
