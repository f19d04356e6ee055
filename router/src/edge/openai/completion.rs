//! What a client receives.

use std::{ops::Range, sync::Arc};

use proto::SpecialistId;
use serde_json::{Value, json};

use super::{name, request::Style, routing};
use crate::{
    app::App,
    ask::{Event, Finish, Routed},
    clock::now_ms,
    merge::{Agreement, Disagreement, Part, Source, Span},
    messages,
};

/// One completion on its way out.
pub(in crate::edge) struct Completion {
    app: Arc<App>,
    routed: Arc<Routed>,
    /// What opens the receipt.
    capability: String,
    style: Style,
    prompt_tokens: usize,
    created: u64,
    text: String,
    characters: usize,
    sources: Vec<Source>,
    spans: Vec<Value>,
    agreements: Vec<Value>,
    disagreements: Vec<Value>,
    finish: Option<Finish>,
}

impl Completion {
    pub(in crate::edge) fn new(
        app: Arc<App>,
        routed: Arc<Routed>,
        capability: String,
        style: Style,
        prompt_tokens: usize,
    ) -> Self {
        let created = now_ms() / 1_000;
        Self {
            app,
            routed,
            capability,
            style,
            prompt_tokens,
            created,
            text: String::new(),
            characters: 0,
            sources: Vec::new(),
            spans: Vec::new(),
            agreements: Vec::new(),
            disagreements: Vec::new(),
            finish: None,
        }
    }

    pub(in crate::edge) fn style(&self) -> &Style {
        &self.style
    }

    /// The role, and who was considered.
    pub(in crate::edge) fn first_chunk(&self) -> Value {
        let delta = json!({ "role": "assistant", "content": "" });
        let ours = json!({
            "v": 1,
            "routing": routing(&self.routed, &self.routed.decision.candidates),
            "receipt": self.receipt(),
        });
        self.chunk(&delta, None, &ours)
    }

    /// The chunks that an event becomes.
    pub(in crate::edge) fn chunks(&mut self, event: Event) -> Vec<Value> {
        let last = matches!(event, Event::Finish(_));
        let mut chunks: Vec<Value> =
            self.take(event).into_iter().map(|part| self.part_chunk(&part)).collect();
        if last {
            let annotations = self.annotations();
            if !annotations.is_empty() {
                chunks.push(self.chunk(&json!({ "annotations": annotations }), None, &json!({ "v": 1 })));
            }
            let mut finish = self.chunk(&json!({}), Some("stop"), &self.ours());
            finish["citations"] = json!(self.citations());
            chunks.push(finish);
            if self.style.usage {
                let mut usage = self.chunk(&json!({}), None, &json!({ "v": 1 }));
                usage["choices"] = json!([]);
                usage["usage"] = self.usage();
                chunks.push(usage);
            }
        }
        chunks
    }

    /// Takes an event in; what of it the reader sees.
    pub(in crate::edge) fn take(&mut self, event: Event) -> Option<Part> {
        match event {
            Event::Part(part) => {
                self.see(&part);
                Some(part)
            }
            Event::Finish(finish) => {
                self.finish = Some(finish);
                None
            }
        }
    }

    /// The answer that is not streamed.
    pub(in crate::edge) fn whole(&self) -> Value {
        let message = json!({ "role": "assistant", "content": self.text, "annotations": self.annotations() });
        json!({
            "id": self.id(),
            "object": "chat.completion",
            "created": self.created,
            "model": self.style.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null }],
            "usage": self.usage(),
            "citations": self.citations(),
            "consilium": self.ours(),
        })
    }

    fn see(&mut self, part: &Part) {
        match part {
            Part::Source(source) => self.sources.push(source.clone()),
            Part::Span(span) => {
                let end = self.characters + span.text.chars().count();
                self.spans.push(self.span(span, end));
                self.characters = end;
                self.text.push_str(&span.text);
            }
            Part::Agreement(agreement) => self.agreements.push(self.agreement(agreement)),
            Part::Disagreement(disagreement) => self.disagreements.push(self.disagreement(disagreement)),
        }
    }

    fn part_chunk(&self, part: &Part) -> Value {
        match part {
            Part::Source(source) => {
                let citation = citation(source);
                self.chunk(&json!({ "content": "" }), None, &json!({ "citation": citation }))
            }
            Part::Span(span) => {
                let specialist = span.specialist().map(SpecialistId::as_str);
                let ours = json!({ "specialist": specialist, "span": self.spans.last() });
                self.chunk(&json!({ "content": span.text }), None, &ours)
            }
            Part::Agreement(_) => {
                let ours = json!({ "agreement": self.agreements.last() });
                self.chunk(&json!({ "content": "" }), None, &ours)
            }
            Part::Disagreement(_) => {
                let ours = json!({ "disagreement": self.disagreements.last() });
                self.chunk(&json!({ "content": "" }), None, &ours)
            }
        }
    }

    fn chunk(&self, delta: &Value, finish_reason: Option<&str>, ours: &Value) -> Value {
        json!({
            "id": self.id(),
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.style.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
            "consilium": ours,
        })
    }

    fn id(&self) -> String {
        format!("chatcmpl-{}", self.routed.request_id)
    }

    /// Everything that is ours, once the answer has ended.
    fn ours(&self) -> Value {
        let candidates = self.finish.as_ref().map_or(&self.routed.decision.candidates, |f| &f.candidates);
        let finish = self.finish.as_ref().map(messages::finish).unwrap_or_default();
        let notices = finish.notices.iter().map(|n| json!({ "specialist": n.specialist_id, "text": n.text }));
        let left_out = finish.left_out.iter().map(|left| {
            let specialist = &left.specialist_id;
            json!({ "specialist": specialist, "repeated_bytes": left.repeated_bytes, "outranked_bytes": left.outranked_bytes })
        });
        json!({
            "v": 1,
            "routing": routing(&self.routed, candidates),
            "spans": self.spans,
            "agreements": self.agreements,
            "disagreements": self.disagreements,
            "left_out": left_out.collect::<Vec<_>>(),
            "notices": notices.collect::<Vec<_>>(),
            "reason": name(finish.reason().as_str_name(), "FINISH_REASON_"),
            "receipt": self.receipt(),
        })
    }

    /// Where the receipt is, once the answer has ended, and what opens it.
    fn receipt(&self) -> Value {
        let id = &self.routed.request_id;
        json!({ "id": id, "url": format!("/v1/receipts/{id}"), "capability": self.capability })
    }

    fn span(&self, span: &Span, end: usize) -> Value {
        json!({
            "start": self.characters,
            "end": end,
            "specialist": span.specialist().map(SpecialistId::as_str),
            "citation": span.citation.as_ref().map(|citation| self.cited(citation)),
        })
    }

    fn cited(&self, (number, range): &(usize, Range<usize>)) -> Value {
        let passage = &self.sources[number - 1].passage.text;
        json!({
            "source": number,
            "start": passage[..range.start].chars().count(),
            "end": passage[..range.end].chars().count(),
        })
    }

    fn agreement(&self, agreement: &Agreement) -> Value {
        json!({
            "range": self.range(&agreement.range),
            "specialist": agreement.specialist.as_str(),
            "citation": agreement.citation.as_ref().map(|citation| self.cited(citation)),
        })
    }

    fn disagreement(&self, disagreement: &Disagreement) -> Value {
        json!({
            "earlier": self.range(&disagreement.earlier),
            "later": self.range(&disagreement.later),
            "difference": name(messages::difference(disagreement.difference).as_str_name(), "DIFFERENCE_"),
        })
    }

    fn range(&self, range: &Range<usize>) -> Value {
        let before = |at: usize| self.text[..at].chars().count();
        json!({ "start": before(range.start), "end": before(range.end) })
    }

    fn citations(&self) -> Vec<Value> {
        self.sources.iter().map(citation).collect()
    }

    /// One for each source, over the words that cite it or, where none do, those that say the same.
    fn annotations(&self) -> Vec<Value> {
        let annotate = |(index, source): (usize, &Source)| {
            let cites = |by: &&Value| by["citation"]["source"] == source.number;
            let mut over: Vec<&Value> = self.spans.iter().filter(cites).collect();
            if over.is_empty() {
                over.extend(self.agreements.iter().find(cites).map(|agreement| &agreement["range"]));
            }
            let (start, end) = (over.first()?, over.last()?);
            Some(json!({
                "type": "url_citation",
                "index": index,
                "url_citation": {
                    "url": source.passage.url,
                    "title": source.passage.heading(),
                    "start_index": start["start"],
                    "end_index": end["end"],
                },
                "consilium": { "specialist": source.specialist.as_str(), "source_id": source.passage.id },
            }))
        };
        self.sources.iter().enumerate().filter_map(annotate).collect()
    }

    /// Tokens as the router's own encoder counts them; nobody is billed by them.
    fn usage(&self) -> Value {
        let prompt = self.prompt_tokens;
        let completion = self.app.embedder.count_tokens(&self.text).unwrap_or_default();
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        })
    }
}

fn citation(source: &Source) -> Value {
    json!({
        "number": source.number,
        "specialist": source.specialist.as_str(),
        "source_id": source.passage.id,
        "title": source.passage.title,
        "url": source.passage.url,
        "license": source.passage.license,
        "section": source.passage.section,
        "page": source.passage.page,
        "text": source.passage.text,
    })
}
