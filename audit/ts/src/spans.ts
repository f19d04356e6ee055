// Whether the words of the answer are those of whom they are said to be.

import { type Bytes, range, same, utf8 } from './bytes.js';
import type { Called } from './calls.js';
import type { Opened } from './opening.js';
import type { Message } from './protobuf.js';
import type { Report } from './report.js';

/** How many bytes of an answer are whose. */
export interface Shares {
  verbatim: number;
  rules: number;
}

/** Checks sources and spans, against the words where these are `opened`. */
export function checkSpans(
  receipt: Message,
  calls: Called[],
  answer: string | undefined,
  opened: Opened[],
  report: Report,
): Shares {
  for (const [at, source] of receipt.sources.entries()) {
    const call = receipt.calls[source.call];
    report.demand(call && source.passage < call.passages.length, 'source_unknown', `source ${at + 1}`);
  }
  const text = answer === undefined ? undefined : utf8(answer);
  const shares = { verbatim: 0, rules: 0 };
  let [at, covers] = [0, true];
  for (const [nth, span] of receipt.spans.entries()) {
    const place = `span ${nth + 1}`;
    const length: number = span.length_bytes;
    const said = text && range(text, at, at + length);
    at += length;
    covers &&= length > 0 && (!text || said !== undefined);
    if (span.verbatim && span.verbatim.call < receipt.calls.length) {
      shares.verbatim += length;
      const { call, start_bytes, citation } = span.verbatim;
      const heard = opened[call];
      if (heard && said) {
        const words = range(heard.answer, start_bytes, start_bytes + length);
        report.demand(words !== undefined && same(words, said), 'span_altered', place);
      }
      if (citation) {
        const cited = cites(receipt, calls[call]!, heard, call, start_bytes, length, citation);
        report.demand(cited, 'span_citation_wrong', place);
      }
    } else if (span.rule !== undefined && span.rule < receipt.rules.length) shares.rules += length;
    else report.demand(false, 'span_origin_unknown', place);
  }
  covers &&= !text || text.length === at;
  report.demand(covers, 'spans_incomplete', '');
  return shares;
}

/** Whether a specialist cites what `citation` says for `length` bytes of its answer from `start` on. */
function cites(
  receipt: Message,
  called: Called,
  opened: Opened | undefined,
  call: number,
  start: number,
  length: number,
  citation: Message,
): boolean {
  const source = receipt.sources[citation.source_number - 1];
  if (!source || source.call !== call) return false;
  const passage: Bytes | undefined = opened?.passages[source.passage];
  const { start_bytes, end_bytes } = citation;
  if (start_bytes >= end_bytes || (passage && !range(passage, start_bytes, end_bytes))) return false;
  if (!called.statement) return true;
  let at = start;
  for (const signed of called.statement.citations) {
    const covers = signed.start_bytes <= start_bytes && end_bytes <= signed.end_bytes;
    const here = signed.answer_start_bytes <= at && at < signed.answer_end_bytes;
    if (signed.passage === source.passage && covers && here) at = signed.answer_end_bytes;
  }
  return at >= start + length;
}
