//! What operators see. No label comes from a question, an answer or an asker.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicU64,
    time::Duration,
};

use embedding::Backend;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use proto::{Space, SpecialistId};

use crate::route::{Decision, Probed, Status, Verdict};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    specialist: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BackendLabels {
    engine: &'static str,
    device: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpecialistLabels {
    specialist: String,
}

/// Counters, gauges and histograms of one router.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    specialist_requests: Family<OutcomeLabels, Counter>,
    specialist_duration: Family<SpecialistLabels, Histogram, fn() -> Histogram>,
    first_words: Histogram,
    confidence: Histogram,
    abstentions: Counter,
    probes: Family<OutcomeLabels, Counter>,
    up: Family<SpecialistLabels, Gauge>,
    ejected: Family<SpecialistLabels, Gauge>,
    excess: Family<SpecialistLabels, Gauge<f64, AtomicU64>>,
    in_flight: Gauge,
    encoder_waiting: Gauge,
    receipts: Gauge,
    receipt_writes: Gauge,
    backend: Family<BackendLabels, Gauge>,
}

/// What is so at this moment, where the other numbers count what happened.
#[derive(Debug)]
pub struct Present {
    /// What computes vectors.
    pub backend: Backend,
    /// Everybody in the fleet, and whether it serves.
    pub health: BTreeMap<SpecialistId, bool>,
    /// Those of them that failed too often lately and are left alone.
    pub ejected: BTreeSet<SpecialistId>,
    /// By how much their claims in probes exceed what they cite, on average: 0 to 1.
    pub excess: BTreeMap<SpecialistId, f32>,
    /// Answers of specialists that are under way.
    pub in_flight: usize,
    /// Texts that wait for the encoder or are being encoded.
    pub encoder_waiting: usize,
    /// Receipts that are written down.
    pub receipts: u64,
    /// Writes that this took since the start.
    pub receipt_writes: u64,
}

/// Bounds in seconds: 5 ms to a minute.
fn seconds() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

impl Metrics {
    /// Nothing has happened yet; `space` is the encoder's.
    pub fn new(space: &Space) -> Self {
        let (requests, specialist_requests) = (Family::default(), Family::default());
        let specialist_duration = Family::new_with_constructor(seconds as fn() -> Histogram);
        let (first_words, confidence) =
            (seconds(), Histogram::new((1..=20).map(|step| f64::from(step) / 20.0)));
        let (abstentions, probes) = (Counter::default(), Family::default());
        let (up, ejected) = (Family::default(), Family::default());
        let excess = Family::<SpecialistLabels, Gauge<f64, AtomicU64>>::default();
        let backend = Family::default();

        let mut registry = Registry::with_prefix("consilium");
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("encoder", space.encoder.clone()),
            ("weights_sha256", space.weights.to_string()),
        ]);
        registry.register("build", "What runs here", build);
        registry.register("requests", "Questions asked, by how they ended", requests.clone());
        registry.register(
            "specialist_requests",
            "Specialists asked, by what became of it",
            specialist_requests.clone(),
        );
        registry.register_with_unit(
            "specialist_duration",
            "From the question's arrival to a specialist's last event",
            Unit::Seconds,
            specialist_duration.clone(),
        );
        registry.register_with_unit(
            "time_to_first_token",
            "From the question's arrival to a specialist's first words",
            Unit::Seconds,
            first_words.clone(),
        );
        registry.register(
            "routing_confidence",
            "Probability that somebody covers a question",
            confidence.clone(),
        );
        registry.register("abstentions", "Questions that nobody covers", abstentions.clone());
        registry.register("probes", "Specialists probed, by what became of it", probes.clone());
        registry.register("specialist_up", "Whether a specialist serves", up.clone());
        registry.register("specialist_ejected", "Whether a specialist is left alone", ejected.clone());
        registry.register("probe_excess", "What is taken off claims in probes", excess.clone());
        registry.register("encoder_backend", "What computes vectors at present", backend.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            in_flight: gauge("answers_in_flight", "Answers of specialists under way"),
            encoder_waiting: gauge("encoder_waiting", "Texts in the encoder's hands"),
            receipts: gauge("receipts", "Receipts that are written down"),
            receipt_writes: gauge("receipt_writes", "Writes that receipts took since the start"),
            registry,
            requests,
            specialist_requests,
            specialist_duration,
            first_words,
            confidence,
            abstentions,
            probes,
            up,
            ejected,
            excess,
            backend,
        }
    }

    /// A decision was made.
    pub fn routed(&self, decision: &Decision) {
        self.confidence.observe(f64::from(decision.confidence));
        for candidate in &decision.candidates {
            let outcome = match candidate.probed {
                Probed::Not => continue,
                Probed::InVain => "in_vain",
                Probed::Showed(_) => "showed",
            };
            let specialist = candidate.registration.id().to_string();
            self.probes.get_or_create(&OutcomeLabels { specialist, outcome }).inc();
        }
        if decision.verdict == Verdict::Abstain || decision.general {
            self.abstentions.inc();
        }
    }

    /// A specialist that was asked came to an end of some kind, `after` the question's arrival.
    pub fn specialist_ended(&self, id: &SpecialistId, status: Status, after: Duration) {
        let outcome = match status {
            Status::Answered => "answered",
            Status::NoAnswer => "no_answer",
            Status::Timeout => "timeout",
            // It was not called.
            Status::CircuitOpen => return,
            _ => "failed",
        };
        let specialist = id.to_string();
        self.specialist_duration
            .get_or_create(&SpecialistLabels { specialist: specialist.clone() })
            .observe(after.as_secs_f64());
        self.specialist_requests.get_or_create(&OutcomeLabels { specialist, outcome }).inc();
    }

    /// The first words of an answer went out, `after` the question's arrival.
    pub fn first_words(&self, after: Duration) {
        self.first_words.observe(after.as_secs_f64());
    }

    /// A question ended with `code`.
    pub fn request(&self, code: &'static str) {
        self.requests.get_or_create(&RequestLabels { code }).inc();
    }

    /// Everything, in the `OpenMetrics` text format.
    pub fn text(&self, present: &Present) -> String {
        let Present {
            backend: Backend { engine, device },
            health,
            ejected,
            excess,
            in_flight,
            encoder_waiting,
            receipts,
            receipt_writes,
        } = present;
        self.backend.clear();
        self.backend.get_or_create(&BackendLabels { engine, device }).set(1);
        self.in_flight.set(i64::try_from(*in_flight).unwrap_or(i64::MAX));
        self.encoder_waiting.set(i64::try_from(*encoder_waiting).unwrap_or(i64::MAX));
        self.receipts.set(i64::try_from(*receipts).unwrap_or(i64::MAX));
        self.receipt_writes.set(i64::try_from(*receipt_writes).unwrap_or(i64::MAX));
        // Whoever has left the fleet must not stand here as up.
        self.up.clear();
        self.ejected.clear();
        self.excess.clear();
        for (id, healthy) in health {
            let labels = SpecialistLabels { specialist: id.to_string() };
            self.up.get_or_create(&labels).set(i64::from(*healthy));
            self.ejected.get_or_create(&labels).set(i64::from(ejected.contains(id)));
            let excess = excess.get(id).copied().unwrap_or_default();
            self.excess.get_or_create(&labels).set(f64::from(excess));
        }
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("metrics could not be written");
        }
        text
    }
}
