//! Whether the words of the answer are those of whom they are said to be.

use std::ops::Range;

use proto::wire::{Receipt, SpanCitation, Verbatim, receipt_span::Origin};

use super::{Failure, Report, calls::Called, opening::Opened};

/// How many bytes of an answer are whose.
#[derive(Default)]
pub(super) struct Shares {
    pub(super) verbatim_bytes: u64,
    pub(super) rules_bytes: u64,
}

/// What the spans are held to.
struct Words<'a> {
    receipt: &'a Receipt,
    calls: &'a [Called<'a>],
    /// What was opened, call by call; none where the opening is deleted.
    opened: &'a [Opened<'a>],
}

/// Checks sources and spans, against the words where these are `opened`.
pub(super) fn check(
    receipt: &Receipt,
    calls: &[Called<'_>],
    text: Option<&str>,
    opened: &[Opened<'_>],
    report: &mut Report,
) -> Shares {
    for (at, source) in receipt.sources.iter().enumerate() {
        let call = receipt.calls.get(source.call as usize);
        let is_there = call.is_some_and(|call| (source.passage as usize) < call.passages.len());
        report.demand(is_there, Failure::SourceUnknown, &format!("source {}", at + 1));
    }
    let words = Words { receipt, calls, opened };
    let (mut shares, mut at) = (Shares::default(), 0);
    let mut covers = true;
    for (nth, span) in receipt.spans.iter().enumerate() {
        let place = format!("span {}", nth + 1);
        let range = at..at + u64::from(span.length_bytes);
        at = range.end;
        let said = text.and_then(|text| text.get(range_of(&range)?));
        covers &= span.length_bytes > 0 && (text.is_none() || said.is_some());
        match &span.origin {
            Some(Origin::Verbatim(verbatim)) if (verbatim.call as usize) < receipt.calls.len() => {
                shares.verbatim_bytes += u64::from(span.length_bytes);
                words.verbatim(verbatim, span.length_bytes, said, &place, report);
            }
            Some(Origin::Rule(rule)) if (*rule as usize) < receipt.rules.len() => {
                shares.rules_bytes += u64::from(span.length_bytes);
            }
            _ => report.fail(Failure::SpanOriginUnknown, &place),
        }
    }
    covers &= text.is_none_or(|text| text.len() as u64 == at);
    report.demand(covers, Failure::SpansIncomplete, "");
    shares
}

fn range_of(range: &Range<u64>) -> Option<Range<usize>> {
    Some(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

impl Words<'_> {
    /// Checks a span of `length` bytes that are a specialist's.
    fn verbatim(
        &self,
        verbatim: &Verbatim,
        length: u32,
        said: Option<&str>,
        place: &str,
        report: &mut Report,
    ) {
        let start = u64::from(verbatim.start_bytes);
        let range = start..start + u64::from(length);
        if let (Some(opened), Some(said)) = (self.opened.get(verbatim.call as usize), said) {
            let heard = range_of(&range).and_then(|range| opened.answer.get(range));
            report.demand(heard == Some(said), Failure::SpanAltered, place);
        }
        if let Some(citation) = &verbatim.citation {
            let cites = self.cites(verbatim.call, &range, citation);
            report.demand(cites, Failure::SpanCitationWrong, place);
        }
    }

    /// Whether the specialist of `call` cites what `citation` says for the words in `range` of its answer.
    fn cites(&self, call: u32, range: &Range<u64>, citation: &SpanCitation) -> bool {
        let number = (citation.source_number as usize).checked_sub(1);
        let Some(source) = number.and_then(|at| self.receipt.sources.get(at)) else { return false };
        let cited = citation.start_bytes as usize..citation.end_bytes as usize;
        let opened = self.opened.get(call as usize);
        let passage = opened.and_then(|opened| opened.passages.get(source.passage as usize)?.as_ref());
        let is_range = passage.is_none_or(|passage| passage.text.get(cited.clone()).is_some());
        if source.call != call || cited.is_empty() || !is_range {
            return false;
        }
        let statement = self.calls.get(call as usize).and_then(|called| called.statement.as_ref());
        let Some(statement) = statement else { return true };
        let mut at = range.start;
        for signed in &statement.citations {
            let words = u64::from(signed.answer_start_bytes)..u64::from(signed.answer_end_bytes);
            let same = signed.passage == source.passage
                && signed.start_bytes <= citation.start_bytes
                && citation.end_bytes <= signed.end_bytes;
            if same && words.contains(&at) {
                at = words.end;
            }
        }
        at >= range.end
    }
}
