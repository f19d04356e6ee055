// Checks a receipt.json away from the router that made it: whose signatures it carries, that it is in the log,
// that specialists were asked what the user asked, and that the answer's words are theirs. Trust comes from
// outside: no key inside a receipt counts.

import { type Bundle, readBundle } from './bundle.js';
import { type Bytes, hex, utf8 } from './bytes.js';
import { type Called, checkCalls, namedCards, readStatements, Vouching } from './calls.js';
import { fits, sha256 } from './crypto.js';
import { checkInstitutions } from './institutions.js';
import { checkProof, RECEIPTS, type Shown } from './log.js';
import { readTrust, type Trust } from './note.js';
import { checkOpening } from './opening.js';
import { canonical, type Message } from './protobuf.js';
import { Report } from './report.js';
import { checkSpans, type Shares } from './spans.js';

export { readTrust, Report, type Trust };

const CONSENT_MISSING = 10;

/** Checks the receipt.json in `json`; without `trust` as far as that goes without knowing anybody's key. */
export async function verify(json: Bytes, trust?: Trust): Promise<Report> {
  const report = new Report();
  if (!trust) report.remark('signers_unknown', '');
  const bundle = readBundle(json);
  report.demand(bundle !== undefined, 'bundle_not_canonical', '');
  if (bundle) await checkReceipt(bundle, trust, report);
  return report;
}

async function checkReceipt(bundle: Bundle, trust: Trust | undefined, report: Report): Promise<void> {
  const { payload, signature } = bundle;
  if (trust) {
    report.demand(bundle.keyid === trust.receipts.id, 'receipt_key_wrong', '');
    const isSigned = await fits(trust.receipts.key, 'receipt', payload, signature);
    report.demand(isSigned, 'receipt_signature_wrong', '');
  }
  const receipt = canonical('Receipt', payload);
  report.demand(receipt !== undefined, 'receipt_not_canonical', '');
  if (!receipt) return;
  report.demand(isComplete(receipt), 'receipt_incomplete', '');
  const isRouters = !trust || trust.receipts.name === `${receipt.router}/receipts`;
  report.demand(isRouters, 'router_wrong', '');
  noteReceipt(receipt, trust, report);
  const shown = await checkProof(bundle.proof, await leaf(bundle, receipt), RECEIPTS, trust, '', report);
  noteLog(shown, trust, report);
  const statements = readStatements(receipt);
  const cards = await checkInstitutions(bundle, receipt, namedCards(receipt, statements), trust, report);
  const calls = await checkCalls(receipt, statements, cards, report);
  await checkWords(bundle, receipt, calls, report);
  report.remark('revocations_unchecked', '');
}

/** What stands in the log for a receipt. */
async function leaf({ leafSalt, signature, payload }: Bundle, receipt: Message): Promise<Bytes> {
  const head = utf8('rcpt/v1\0\x01');
  const bytes = new Uint8Array(73);
  bytes.set(head);
  bytes.set(await sha256(utf8('leaf'), leafSalt, signature, payload), 9);
  bytes.set(await sha256(utf8(receipt.router)), 41);
  return bytes;
}

/** Checks what was asked and said, as far as it is open. */
async function checkWords(bundle: Bundle, receipt: Message, calls: Called[], report: Report): Promise<void> {
  const { opening } = bundle;
  if (!opening) report.remark('opening_deleted', '');
  const none = { ask: undefined, opened: [] };
  const { ask, opened } = opening ? await checkOpening(opening, receipt, calls, report) : none;
  const shares = checkSpans(receipt, calls, opening?.text, opened, report);
  checkDecision(receipt, calls, ask, report);
  noteWords(bundle, calls, shares, report);
}

/** Checks the decision, against the asker's wishes where the question is open. */
function checkDecision(receipt: Message, calls: Called[], ask: Message | undefined, report: Report): void {
  const { decision } = receipt;
  if (!decision) return;
  const ids: string[] = decision.candidates.map((one: Message) => one.specialist_id);
  report.demand(new Set(ids).size === ids.length, 'candidate_repeated', '');
  const counted = new Set<string>();
  for (const one of decision.candidates) if (one.calls > 0) counted.add(one.specialist_id);
  const called = new Set(calls.map(({ call }) => call.specialist_id));
  const agree = called.size === counted.size && [...called].every((id) => counted.has(id));
  report.demand(agree && called.size === calls.length, 'calls_differ', '');
  for (const { place, call, registered } of calls) {
    const id: string = call.specialist_id;
    const candidate = decision.candidates.find((one: Message) => one.specialist_id === id);
    if (candidate) {
      report.demand(hex(candidate.card_sha256) === hex(call.card_sha256), 'candidate_card_wrong', place);
    }
    report.demand(decision.seen_by.includes(id), 'call_not_announced', place);
    const asks = registered !== undefined && registered.card.asks_consent;
    const agreed = !ask || (ask.options?.consent.includes(id) ?? false);
    const mayBe = candidate?.status !== CONSENT_MISSING && (!asks || agreed);
    report.demand(mayBe, 'called_without_consent', place);
  }
}

/** Whether `receipt` has what every receipt has. */
function isComplete(receipt: Message): boolean {
  const digests: Bytes[] = [receipt.question, receipt.derivation, receipt.text];
  for (const call of receipt.calls) digests.push(call.card_sha256, call.request, call.answer, ...call.passages);
  if (receipt.registry) digests.push(receipt.registry.root);
  return (
    receipt.request_id !== '' &&
    receipt.decision !== undefined &&
    receipt.registry !== undefined &&
    [0, 32].includes(receipt.previous_sha256.length) &&
    digests.every((digest) => digest.length === 32)
  );
}

function noteReceipt(receipt: Message, trust: Trust | undefined, report: Report): void {
  const time = new Date(Number(receipt.time_s) * 1000);
  const when = isNaN(time.valueOf()) ? '' : `, made in the hour from ${time.toISOString().slice(0, 16)}Z`;
  const key = trust ? `, held to the key ${hex(trust.receipts.key)}` : '';
  report.note('receipt', `${receipt.request_id} of ${receipt.router}${when}${key}`);
}

function noteLog(shown: Shown | undefined, trust: Trust | undefined, report: Report): void {
  if (!shown) return;
  const { index, checkpoint, witnesses } = shown;
  const seen = `seen by ${witnesses} of ${trust?.witnesses.length ?? 0} known witnesses`;
  report.note('log', `number ${index + 1n} of ${checkpoint.size} in ${checkpoint.origin}, ${seen}`);
}

function noteWords(bundle: Bundle, calls: Called[], shares: Shares, report: Report): void {
  const how = new Map([
    [Vouching.SIGNED, 'signed what it was asked and said'],
    [Vouching.UNSIGNED, 'signs nothing'],
    [Vouching.UNFINISHED, 'gave out before its end'],
    [Vouching.REFUSED, 'was refused'],
  ]);
  for (const { call, registered } of calls) {
    const vouching = how.get(call.vouching) ?? 'is said to have done nothing that is known';
    const number = registered?.index === undefined ? '' : `, number ${registered.index + 1n} of the registry`;
    const whose = registered ? `; ${registered.card.institution}, card ${registered.digest}${number}` : '';
    report.note('specialist', `${call.specialist_id} ${vouching}; passages sent: ${call.passages.length}${whose}`);
  }
  const { verbatim, rules } = shares;
  report.note('answer', `${verbatim} bytes are specialists' words, ${rules} the router's own texts`);
  const open = 'question, decision, requests, passages and answer are open, and were compared';
  report.note('open', bundle.opening ? open : 'nothing: the opening is deleted');
}
