//! An answer as it gathers.

use proto::wire::{
    Agreement, AnswerRange, Decision, Disagreement, Finish, Source, Span, ask_response::Event,
};

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) decision: Option<Decision>,
    pub(super) spans: Vec<Span>,
    pub(super) sources: Vec<Source>,
    pub(super) agreements: Vec<Agreement>,
    pub(super) disagreements: Vec<Disagreement>,
    pub(super) finish: Option<Finish>,
}

impl Answer {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Decision(decision) => self.decision = Some(decision),
            Event::Source(source) => self.sources.push(source),
            Event::Span(span) => self.spans.push(span),
            Event::Agreement(agreement) => self.agreements.push(agreement),
            Event::Disagreement(disagreement) => self.disagreements.push(disagreement),
            Event::Finish(finish) => self.finish = Some(finish),
        }
    }

    /// All its words.
    pub(super) fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Its words in `range`; empty where there is no such range.
    pub(super) fn words(&self, range: Option<AnswerRange>) -> String {
        let AnswerRange { start_bytes, end_bytes } = range.unwrap_or_default();
        let text = self.text();
        text.get(start_bytes as usize..end_bytes as usize).unwrap_or_default().to_owned()
    }
}
