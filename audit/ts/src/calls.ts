// Whether what specialists signed is what the receipt says that they were asked and said.

import { hex, same } from './bytes.js';
import { fits } from './crypto.js';
import type { Registered } from './institutions.js';
import { canonical, type Message } from './protobuf.js';
import type { Report } from './report.js';

export const Vouching = { SIGNED: 1, UNSIGNED: 2, UNFINISHED: 3, REFUSED: 4 };

/** A call, and what is known of who was called. */
export interface Called {
  place: string;
  call: Message;
  /** What it signed, where that can be read. */
  statement: Message | undefined;
  /** The card that it is registered with. */
  registered: Registered | undefined;
  /** The card that it answered under: the statement's, or that one. */
  answered: Registered | undefined;
}

/** What each call's specialist signed, where that can be read. */
export function readStatements(receipt: Message): (Message | undefined)[] {
  return receipt.calls.map((call: Message) => call.statement && canonical('Statement', call.statement.payload));
}

/** The digests of the cards that calls and statements name, in the order in which they do. */
export function namedCards(receipt: Message, statements: (Message | undefined)[]): string[] {
  const named = new Set<string>();
  for (const [at, call] of receipt.calls.entries()) {
    named.add(hex(call.card_sha256));
    const statement = statements[at];
    if (statement) named.add(hex(statement.card_sha256));
  }
  return [...named];
}

/** Checks all calls. */
export async function checkCalls(
  receipt: Message,
  statements: (Message | undefined)[],
  cards: Registered[],
  report: Report,
): Promise<Called[]> {
  const state: bigint = receipt.registry?.size ?? 0n;
  const find = (digest: string) => cards.find((card) => card.digest === digest);
  const calls: Called[] = [];
  for (const [at, call] of (receipt.calls as Message[]).entries()) {
    const place = `call ${at + 1}`;
    const statement = statements[at];
    const registered = find(hex(call.card_sha256));
    if (registered) {
      const { card, index } = registered;
      report.demand(card.specialist_id === call.specialist_id, 'call_card_of_another', place);
      report.demand(index === undefined || index < state, 'card_registered_later', place);
    }
    checkVouching(call, registered, place, report);
    let answered = registered;
    if (call.statement && registered) {
      const { payload, signature } = call.statement;
      const isSigned = await fits(registered.card.public_key, 'statement', payload, signature);
      report.demand(isSigned, 'statement_signature_wrong', place);
    }
    if (call.statement) report.demand(statement !== undefined, 'statement_not_canonical', place);
    if (statement) {
      answered = find(hex(statement.card_sha256));
      checkStatement(statement, receipt, call, place, report);
      if (registered && answered) checkCards(statement, registered.card, answered.card, place, report);
    }
    calls.push({ place, call, statement, registered, answered });
  }
  return calls;
}

/** Whether there is a statement exactly where there has to be one. */
function checkVouching(call: Message, registered: Registered | undefined, place: string, report: Report): void {
  const hasKey = registered !== undefined && registered.card.public_key.length > 0;
  const hasStatement = call.statement !== undefined;
  switch (call.vouching) {
    case Vouching.SIGNED:
      report.demand(hasStatement, 'statement_missing', place);
      break;
    case Vouching.UNSIGNED:
      report.demand(!hasKey && !hasStatement, 'vouching_wrong', place);
      report.remark('unsigned_specialist', place);
      break;
    case Vouching.UNFINISHED:
      report.demand(!hasStatement, 'vouching_wrong', place);
      report.remark('unfinished_call', place);
      break;
    case Vouching.REFUSED:
      report.demand(!hasStatement, 'vouching_wrong', place);
      report.remark('refused_call', place);
      break;
    default:
      report.demand(false, 'vouching_wrong', place);
  }
}

/** Whether `statement` says what the receipt says of `call`. */
function checkStatement(statement: Message, receipt: Message, call: Message, place: string, report: Report): void {
  report.demand(statement.specialist_id === call.specialist_id, 'statement_of_another', place);
  report.demand(statement.request_id === receipt.request_id, 'statement_request_id_wrong', place);
  const agrees =
    same(statement.request, call.request) &&
    same(statement.answer, call.answer) &&
    statement.passages.map(hex).join() === call.passages.map(hex).join() &&
    statement.passages.length === call.passages.length;
  report.demand(agrees, 'statement_differs', place);
  let end = 0;
  let cites = true;
  for (const citation of statement.citations) {
    const { answer_start_bytes, answer_end_bytes, start_bytes, end_bytes } = citation;
    cites &&= answer_start_bytes >= end && answer_start_bytes < answer_end_bytes;
    cites &&= citation.passage < statement.passages.length && start_bytes < end_bytes;
    end = answer_end_bytes;
  }
  report.demand(cites, 'statement_citations_wrong', place);
}

/** Whether `statement` was made under `answered`, a card of the specialist that is `registered`. */
function checkCards(statement: Message, registered: Message, answered: Message, place: string, report: Report): void {
  const sameOne =
    same(answered.public_key, registered.public_key) && answered.specialist_id === registered.specialist_id;
  report.demand(sameOne, 'statement_card_wrong', place);
  const corpus =
    same(statement.weights_sha256, answered.weights_sha256) &&
    same(statement.data_sha256, answered.data_sha256) &&
    same(statement.passages_root, answered.passages_root) &&
    statement.passage_count === answered.passage_count;
  report.demand(corpus, 'statement_corpus_wrong', place);
}
