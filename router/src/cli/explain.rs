//! `router explain`: a decision in words, and all that it follows from.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args;
use proto::{
    SpecialistId,
    wire::{
        AskOptions, Candidate, CandidateStatus, Decision, Derivation, HistoryReason, Member, ProbeResponse,
        Timings, Turn, Verdict, Wording,
    },
};
use serde_json::{Value, json};

use super::{
    Asking, Output,
    ask::decided,
    print::{decision_value, hex, history, listed, name, object, printable, text},
};
use crate::route::{Calibration, Policy};

/// What to explain.
#[derive(Debug, Args)]
pub struct Explaining {
    #[command(flatten)]
    asking: Asking,
    /// Keep the text of the question and of the turns before it in the JSON, so that `router replay` embeds
    /// it again.
    #[arg(long)]
    with_question: bool,
}

/// Prints why the router would ask whom it would ask; nobody is asked.
pub async fn explain(explaining: &Explaining) -> Result<()> {
    let Explaining { asking, with_question } = explaining;
    let turns = asking.turns()?;
    let decision = decided(asking, turns.clone(), true).await?;
    let derivation = decision.derivation.as_ref();
    let derivation = derivation.context("the router says nothing of what the decision follows from")?;
    match asking.output {
        Output::Text => text(&printable(&in_words(&decision, derivation)?)),
        Output::Json => {
            let mut value = decision_value(&decision);
            value["derivation"] = derivation_value(derivation)?;
            if *with_question {
                value["turns"] = turns.iter().map(|turn: &Turn| turn.text.as_str()).collect();
            }
            object(&value)
        }
    }
}

fn derivation_value(derivation: &Derivation) -> Result<Value> {
    let AskOptions { only, exclude, specialists_max, consent } =
        derivation.options.clone().unwrap_or_default();
    let member = |member: &Member| {
        json!({
            "id": member.specialist_id,
            "card_sha256": hex(&member.card_sha256),
            "prototypes_sha256": hex(&member.prototypes_sha256),
            "enabled": member.enabled,
        })
    };
    Ok(json!({
        "vector": derivation.vector,
        "terms": derivation.terms,
        "options": {
            "only": only,
            "exclude": exclude,
            "consent": consent,
            "specialists_max": specialists_max,
        },
        "ejected": derivation.ejected,
        "policy": serde_json::from_str::<Value>(&derivation.policy)?,
        "calibration": serde_json::from_str::<Value>(&derivation.calibration)?,
        "background_sha256": hex(&derivation.background_sha256),
        "fleet": derivation.fleet.iter().map(member).collect::<Vec<_>>(),
    }))
}

/// The whole decision, in sentences.
fn in_words(decision: &Decision, derivation: &Derivation) -> Result<String> {
    let policy: Policy = serde_json::from_str(&derivation.policy)?;
    let Calibration { offsets, .. } = serde_json::from_str(&derivation.calibration)?;
    let options = derivation.options.clone().unwrap_or_default();
    let telling = Telling { decision, options, policy, offsets };
    let mut out = vec![telling.verdict(), String::new()];
    out.extend(telling.question(derivation.terms));
    out.push(telling.survey());
    out.extend(telling.probes());
    out.push(String::new());
    let (listed, far) = listed(decision);
    out.extend(listed.map(|candidate| telling.candidate(candidate)));
    if far > 0 {
        out.push(format!("And {far} more that are not near."));
    }
    out.push(String::new());
    out.push(telling.rule());
    out.push(telling.calibration());
    out.extend(telling.thumbs());
    out.push(telling.origin());
    out.push(telling.timings());
    Ok(out.join("\n") + "\n")
}

/// A decision, and what it was made by.
struct Telling<'a> {
    decision: &'a Decision,
    options: AskOptions,
    policy: Policy,
    offsets: BTreeMap<SpecialistId, f32>,
}

impl Telling<'_> {
    fn verdict(&self) -> String {
        let Decision { confidence, confidence_min, seen_by, .. } = self.decision;
        let asked = self.with_status(CandidateStatus::Asked);
        if self.decision.general {
            return format!(
                "Nobody covers the question, so the general specialist is asked: {}.",
                asked.join(", ")
            );
        }
        if self.decision.verdict() == Verdict::Ask {
            let reserves: Vec<&str> =
                seen_by.iter().map(String::as_str).filter(|id| !asked.contains(id)).collect();
            let reserves = if reserves.is_empty() {
                String::new()
            } else {
                format!(" Should all of them fail: {}, in turn.", reserves.join(", "))
            };
            return format!("The question would go to {}.{reserves}", asked.join(", "));
        }
        let consent = self.with_status(CandidateStatus::ConsentMissing);
        if !consent.is_empty() {
            return format!("Nobody would be asked: consent is missing for {}.", consent.join(", "));
        }
        if confidence < confidence_min {
            return format!(
                "Nobody would be asked: nobody covers the question, with a confidence of {confidence:.2} \
                 where {confidence_min:.2} is needed."
            );
        }
        "Nobody would be asked: nobody is left to ask.".to_owned()
    }

    /// What is known of the question itself.
    fn question(&self, terms: u32) -> Vec<String> {
        let earlier = self.decision.history.filter(|h| h.reason() != HistoryReason::NoEarlierTurn);
        let earlier = earlier.map(history).filter(|line| !line.is_empty());
        let mut lines = vec![match earlier {
            Some(line) => format!("{}.", line.trim_end()),
            None => "The question stands alone: there is no earlier turn.".to_owned(),
        }];
        lines.push(format!("It has {}.", count(terms as usize, "different term")));
        if !self.decision.language.is_empty() {
            let language = &self.decision.language;
            lines.push(format!("It seems to be in a language that the encoder does not cover: {language}."));
        }
        lines
    }

    fn survey(&self) -> String {
        let all = &self.decision.candidates;
        let near = all.iter().filter(|candidate| candidate.score.is_some()).count();
        format!(
            "The nearest prototypes, at most {} (route.hits_max), belong to {near} of {} registered.",
            self.policy.hits_max,
            count(all.len(), "specialist")
        )
    }

    fn probes(&self) -> Vec<String> {
        let probed = self.decision.candidates.iter().filter_map(|c| Some((c, c.probe?)));
        let lines: Vec<String> = probed
            .map(|(candidate, probe)| match probe.evidence {
                None => format!(
                    "  {}: no answer within {} ms, so its prototypes decide.",
                    candidate.specialist_id, self.policy.probe_ms
                ),
                Some(evidence) => format!("  {}: {}.", candidate.specialist_id, showed(evidence)),
            })
            .collect();
        if lines.is_empty() {
            let used = self.decision.history.is_some_and(|history| history.used);
            let why = if used {
                "what was said before a question is shown to nobody who is not asked"
            } else {
                "the prototypes leave no doubt, or whoever is in doubt may not be probed"
            };
            return vec![format!("Nobody was probed: {why}.")];
        }
        let mut all = vec![format!("{} probed, in whose index lies:", were(lines.len()))];
        all.extend(lines);
        all
    }

    fn candidate(&self, candidate: &Candidate) -> String {
        let numbers = match candidate.score {
            None => "no score".to_owned(),
            Some(score) => format!(
                "score {score:.2}, probability {:.2}, confidence {:.2}",
                candidate.probability, candidate.confidence
            ),
        };
        let (id, name) = (&candidate.specialist_id, name(candidate));
        format!("{id}, {name}: {numbers}; {}.", self.why(candidate))
    }

    /// What became of it, and why.
    fn why(&self, candidate: &Candidate) -> String {
        let Decision { confidence, confidence_min, probability_min, seen_by, .. } = self.decision;
        let unlikely =
            format!("probability {:.2}, where {probability_min:.2} is needed", candidate.probability);
        let unsure = format!("confidence {:.2}, where {confidence_min:.2} is needed", candidate.confidence);
        match candidate.status() {
            CandidateStatus::Asked if self.decision.general => {
                "asked: it is the general specialist (route.general)".to_owned()
            }
            CandidateStatus::Asked if self.options.only.len() == 1 => {
                "asked: you chose it, whatever its score".to_owned()
            }
            CandidateStatus::Asked if candidate.probability < *probability_min => {
                "asked: nobody better may be asked".to_owned()
            }
            CandidateStatus::Asked if candidate.confidence < *confidence_min => {
                format!("asked: somebody covers the question, and it is likely enough ({unlikely})")
            }
            CandidateStatus::Asked => format!("asked: {unsure}"),
            CandidateStatus::Outranked if seen_by.contains(&candidate.specialist_id) => {
                "in reserve: asked if those before it fail".to_owned()
            }
            CandidateStatus::Outranked if candidate.probability < *probability_min => {
                format!("not asked, others fit better: {unlikely}")
            }
            CandidateStatus::Outranked => "not asked: as many are asked as may be".to_owned(),
            CandidateStatus::BelowThreshold if self.is_general(candidate) => {
                "stands back: it is asked only what nobody covers (route.general)".to_owned()
            }
            CandidateStatus::BelowThreshold if candidate.score.is_none() => {
                "refused: none of its prototypes is among the nearest".to_owned()
            }
            CandidateStatus::BelowThreshold if confidence >= confidence_min => {
                format!("refused: {unsure}, or {unlikely}")
            }
            CandidateStatus::BelowThreshold => format!("refused: {unsure}"),
            CandidateStatus::Disabled => "left out: an operator took it out of routing".to_owned(),
            CandidateStatus::Excluded if self.options.exclude.contains(&candidate.specialist_id) => {
                "left out: you excluded it".to_owned()
            }
            CandidateStatus::Excluded => "left out: you chose among others".to_owned(),
            CandidateStatus::ConsentMissing => "would be asked, but its card asks for consent".to_owned(),
            CandidateStatus::CircuitOpen => {
                "would be asked, but it failed too often lately and is left alone for a while".to_owned()
            }
            other => super::print::status(other).replace('_', " "),
        }
    }

    fn is_general(&self, candidate: &Candidate) -> bool {
        self.policy.general.as_ref().map(SpecialistId::as_str) == Some(candidate.specialist_id.as_str())
    }

    /// Why so many are asked.
    fn rule(&self) -> String {
        let Decision { confidence_min, probability_min, .. } = self.decision;
        let most = self.policy.specialists_max;
        let wanted = usize::try_from(self.options.specialists_max).unwrap_or(most);
        let most = if wanted == 0 { most } else { wanted.min(most) };
        format!(
            "Somebody covers the question where a confidence reaches {confidence_min:.2}. Then whoever has a \
             probability of at least {probability_min:.2} is asked, the best one always, at most {most}."
        )
    }

    fn calibration(&self) -> String {
        match &self.decision.calibration {
            None => {
                "Uncalibrated: nobody fitted the numbers to this fleet; `router calibrate` does.".to_owned()
            }
            Some(fitted) => format!(
                "Calibrated on {} with {} and {} that nobody covers, taking {} of all questions to be such.",
                fitted.date,
                count(usize::try_from(fitted.questions).unwrap_or(usize::MAX), "question"),
                fitted.outside,
                fitted.prior
            ),
        }
    }

    /// Whom readers' thumbs moved, of those that are near.
    fn thumbs(&self) -> Option<String> {
        let near = self.decision.candidates.iter().filter(|candidate| candidate.score.is_some());
        let moved = near.filter_map(|candidate| {
            let (id, offset) = self.offsets.iter().find(|(id, _)| id.as_str() == candidate.specialist_id)?;
            Some(format!("{id} by {offset:+.2}"))
        });
        let moved: Vec<String> = moved.collect();
        (!moved.is_empty()).then(|| format!("Readers' thumbs moved, in log-odds: {}.", moved.join(", ")))
    }

    fn origin(&self) -> String {
        let Decision { space, engine, device, snapshot_version, request_id, .. } = self.decision;
        let encoder = space.as_ref().map(|space| space.encoder.as_str()).unwrap_or_default();
        format!(
            "Encoder {encoder}, engine {engine} on {device}; state {snapshot_version} of the fleet; {request_id}."
        )
    }

    fn timings(&self) -> String {
        let Timings { tokenize_us, queue_us, encode_us, search_us, decide_us, probe_us } =
            self.decision.timings.unwrap_or_default();
        format!(
            "Microseconds: tokens {tokenize_us}, waiting {queue_us}, encoding {encode_us}, search {search_us}, \
             probes {probe_us}, decision {decide_us}."
        )
    }

    fn with_status(&self, status: CandidateStatus) -> Vec<&str> {
        let those = self.decision.candidates.iter().filter(|candidate| candidate.status() == status);
        those.map(|candidate| candidate.specialist_id.as_str()).collect()
    }
}

/// What a probed index showed.
fn showed(evidence: ProbeResponse) -> String {
    let ProbeResponse { nearness, wording } = evidence;
    let near = format!("passages at a nearness of {nearness:.2}");
    match wording {
        None => near,
        Some(Wording { covered, titled, familiar }) => {
            format!("{near}, covered {covered:.2}, titled {titled:.2}, familiar {familiar:.2}")
        }
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn were(n: usize) -> String {
    format!("{n} {}", if n == 1 { "was" } else { "were" })
}
