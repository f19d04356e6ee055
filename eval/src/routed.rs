//! What became of a question that the shipped code routed.

use router::route::{Candidate, Decision, Probed, Verdict};

use crate::{measures::judged::Judged, peers::route::Answer, texts::Asked, trial::Known};

/// What became of a question.
pub(crate) struct Routed {
    pub(crate) asked: Asked,
    /// Everybody who has a score, best first.
    pub(crate) ranked: Vec<String>,
    /// The probability that the router gives to the right one; 0 where it has no score.
    pub(crate) probability: f32,
    /// How sure the router is that somebody covers it: 0 to 1.
    pub(crate) confidence: f32,
    /// How many would be asked at once; 0 where the router is not sure enough.
    pub(crate) asked_count: usize,
    /// Whether the right one would be among them.
    pub(crate) right_asked: bool,
    /// How many were probed.
    pub(crate) probed: usize,
    /// What the probes sent, in bytes.
    pub(crate) probe_bytes: usize,
}

impl Routed {
    /// All of `asked`, of which so much is known and decided, in their order.
    pub(crate) fn all(asked: &[Asked], known: &[Known], decisions: &[Decision]) -> Vec<Self> {
        let all = asked.iter().zip(known).zip(decisions);
        let routed = |((asked, known), decision): ((&Asked, &Known), &Decision)| {
            Self::new(asked.clone(), decision, known.question.request_bytes())
        };
        all.map(routed).collect()
    }

    /// A probe of the question sends `request_bytes`.
    fn new(asked: Asked, decision: &Decision, request_bytes: usize) -> Self {
        let Decision { verdict, candidates, confidence, .. } = decision;
        let id = |candidate: &Candidate| candidate.registration.id().to_string();
        let scored: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.score.is_some()).collect();
        let own = scored.iter().find(|candidate| id(candidate) == asked.domain);
        let at_once: &[usize] = match verdict {
            Verdict::Ask { asked, .. } => asked,
            Verdict::Abstain => &[],
        };
        let probed = candidates.iter().filter(|candidate| candidate.probed != Probed::Not).count();
        Self {
            confidence: *confidence,
            asked_count: at_once.len(),
            right_asked: at_once.iter().any(|&at| id(&candidates[at]) == asked.domain),
            probed,
            probe_bytes: probed * request_bytes,
            probability: own.map_or(0.0, |own| own.probability),
            ranked: scored.into_iter().map(id).collect(),
            asked,
        }
    }

    /// The best candidate, where anybody has a score.
    pub(crate) fn went_to(&self) -> Option<&str> {
        self.ranked.first().map(String::as_str)
    }

    pub(crate) fn abstained(&self) -> bool {
        self.asked_count == 0
    }

    pub(crate) fn is_right(&self) -> bool {
        self.went_to() == Some(&self.asked.domain)
    }

    pub(crate) fn judged(&self) -> Judged<'_> {
        Judged {
            own: self.asked.own(),
            right: self.is_right(),
            accepted: !self.abstained(),
            confidence: f64::from(self.confidence),
        }
    }
}

impl Answer {
    /// What it made of `asked`.
    pub(crate) fn judged<'a>(&self, asked: &'a Asked) -> Judged<'a> {
        Judged {
            own: asked.own(),
            right: self.domain.is_some() && self.domain.as_deref() == asked.own(),
            accepted: self.accepted,
            confidence: self.score,
        }
    }
}
