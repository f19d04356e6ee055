//! An answer as it gathers.

use proto::wire::{Decision, Finish, Source, Span, ask_response::Event};

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) decision: Option<Decision>,
    pub(super) spans: Vec<Span>,
    pub(super) sources: Vec<Source>,
    pub(super) finish: Option<Finish>,
}

impl Answer {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Decision(decision) => self.decision = Some(decision),
            Event::Source(source) => self.sources.push(source),
            Event::Span(span) => self.spans.push(span),
            Event::Finish(finish) => self.finish = Some(finish),
        }
    }
}
