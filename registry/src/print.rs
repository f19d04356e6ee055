//! How registrations look on a terminal and in JSON.

mod exam;

use std::{
    fmt,
    io::{self, Write},
};

use proto::{
    Digest, Openness, Probing, PublishedCard,
    wire::{self, Finding, Registration, Report, watch_response::Kind},
};
use serde_json::{Value, json};

use crate::{Output, failure::Failure};

/// A line to the person, not to the program that reads the data. A closed terminal is no error.
pub(crate) fn message(line: fmt::Arguments<'_>) {
    // A specialist's own words may stand in it; they must not steer the terminal.
    let _ = writeln!(io::stderr(), "{}", plain(&line.to_string()));
}

/// `text` without what steers a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// What is about to be admitted: for the person who is asked, not for the program that reads.
pub(crate) fn preview(report: &Report) -> Result<(), Failure> {
    message(format_args!("{}", report_table(report)?.trim_end()));
    Ok(())
}

/// What follows when the key of `registration` is revoked: for the person who is asked.
pub(crate) fn revocation(registration: &Registration) -> Result<(), Failure> {
    let published = PublishedCard::read(registration.card.clone())?;
    let card = published.card();
    let Some(key) = card.public_key else { return Ok(()) };
    message(format_args!(
        "The key {} of {} ({}) will count no more. Whoever has it is taken out of routing from the next \
         question on, and cannot be enabled or added again with it. This is written into the registry log and \
         cannot be undone: to come back, the institution makes a new key, and you remove and add the specialist.",
        hex::encode(key),
        card.id,
        card.institution,
    ));
    Ok(())
}

/// Prints data in the form that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Printer {
    output: Output,
}

impl Printer {
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }

    pub(crate) fn report(self, report: &Report) -> Result<(), Failure> {
        match self.output {
            Output::Table => data(&report_table(report)?),
            Output::Json => data(&pretty(&report_json(report)?)),
        }
    }

    pub(crate) fn findings(self, tested: &wire::TestResponse) -> Result<(), Failure> {
        match self.output {
            Output::Table => data(&plain(&findings_table(&tested.findings))),
            Output::Json => data(&pretty(&json!({
                "report": tested.report.as_ref().map(report_json).transpose()?,
                "findings": tested.findings.iter().map(finding_json).collect::<Vec<_>>(),
            }))),
        }
    }

    pub(crate) fn registration(self, registration: &Registration) -> Result<(), Failure> {
        match self.output {
            Output::Table => data(&registration_table(registration)?),
            Output::Json => data(&pretty(&registration_json(registration)?)),
        }
    }

    pub(crate) fn registrations(self, registrations: &[Registration]) -> Result<(), Failure> {
        match self.output {
            Output::Table => data(&list_table(registrations)?),
            Output::Json => {
                let all = registrations.iter().map(registration_json).collect::<Result<Vec<_>, _>>()?;
                data(&pretty(&json!(all)))
            }
        }
    }

    pub(crate) fn change(self, kind: Kind, registration: &Registration) -> Result<(), Failure> {
        let kind = kind.as_str_name().trim_start_matches("KIND_").to_lowercase();
        match self.output {
            Output::Table => {
                let published = PublishedCard::read(registration.card.clone())?;
                let card = published.card();
                let (id, revision) = (&card.id, &card.revision);
                data(&format!("{kind:<9} {id}  revision {revision}  {}\n", state(registration)))
            }
            Output::Json => {
                let line = json!({ "kind": kind, "registration": registration_json(registration)? });
                data(&format!("{line}\n"))
            }
        }
    }
}

fn data(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Lines of `name  value`, the values in one column.
fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name:<width$}  {value}\n"))
        .collect()
}

fn card_rows(published: &PublishedCard) -> Vec<(&'static str, String)> {
    let card = published.card();
    vec![
        ("id", card.id.to_string()),
        ("title", card.title.clone()),
        ("institution", card.institution.clone()),
        ("description", card.description.clone()),
        ("notice", card.notice.clone()),
        ("consent", if card.asks_consent { "asked of whoever asks".into() } else { String::new() }),
        ("probes", probes(card.probing).into()),
        ("history", earlier_turns(card.history_turns_max)),
        ("license", card.license.clone()),
        ("generator", card.generator.clone()),
        ("passages", card.passage_count.to_string()),
        ("revision", card.revision.clone()),
        ("intended", card.intended_use.clone()),
        ("retention", card.retention.clone()),
        ("weights", openness(card.weights_openness).into()),
        ("data", openness(card.data_openness).into()),
        ("card sha256", published.digest().to_string()),
        ("key", card.public_key.map_or_else(|| "none: it signs nothing".to_owned(), hex::encode)),
    ]
}

fn prototypes(count: u32, origin: wire::PrototypeOrigin) -> String {
    let origin = match origin {
        wire::PrototypeOrigin::Router => "made by the router from the card's texts",
        _ => "made by the specialist; the card's questions by the router",
    };
    format!("{count}, {origin}")
}

fn report_table(report: &Report) -> Result<String, Failure> {
    let published = PublishedCard::read(report.card.clone())?;
    let mut rows = card_rows(&published);
    rows.extend([
        ("endpoint", report.endpoint.clone()),
        ("prototypes", prototypes(report.prototype_count, report.prototype_origin())),
        ("space", report.space.as_ref().map(|space| space.encoder.clone()).unwrap_or_default()),
        ("looked for", format!("{} ms", report.duration_ms)),
        ("registered", if report.registered { "already".into() } else { String::new() }),
    ]);
    let exam = report.exam.as_ref().map(|exam| format!("\n{}", exam::words(exam, published.card())));
    Ok(fields(&rows) + &exam.unwrap_or_default())
}

fn findings_table(findings: &[Finding]) -> String {
    let verdict = |finding: &Finding| match (finding.examined, finding.passed) {
        (false, _) => "not examined",
        (true, true) => "ok",
        (true, false) => "FAIL",
    };
    let rows: Vec<_> = findings.iter().map(|finding| (verdict(finding), finding)).collect();
    let first = rows.iter().map(|(verdict, _)| verdict.len()).max().unwrap_or_default();
    let second = findings.iter().map(|finding| finding.rule.len()).max().unwrap_or_default();
    let line = |(verdict, Finding { rule, detail, .. }): &(&str, &Finding)| {
        format!("{verdict:<first$}  {rule:<second$}  {detail}\n")
    };
    rows.iter().map(line).collect()
}

fn state(registration: &Registration) -> &'static str {
    match (registration.state(), registration.healthy) {
        (wire::State::Disabled, _) => "disabled",
        (_, true) => "serving",
        (_, false) => "not serving",
    }
}

fn registration_table(registration: &Registration) -> Result<String, Failure> {
    let mut rows = card_rows(&PublishedCard::read(registration.card.clone())?);
    rows.extend([
        ("endpoint", registration.endpoint.clone()),
        ("prototypes", prototypes(registration.prototype_count, registration.prototype_origin())),
        ("state", state(registration).into()),
        ("key state", if registration.key_revoked { "revoked".into() } else { String::new() }),
    ]);
    Ok(fields(&rows))
}

fn list_table(registrations: &[Registration]) -> Result<String, Failure> {
    let header = ["ID", "STATE", "KEY", "PASSAGES", "INSTITUTION", "ENDPOINT"].map(str::to_owned);
    let mut rows = vec![header];
    for registration in registrations {
        let published = PublishedCard::read(registration.card.clone())?;
        let card = published.card();
        rows.push([
            card.id.to_string(),
            state(registration).into(),
            short_key(card.public_key, registration.key_revoked),
            card.passage_count.to_string(),
            card.institution.clone(),
            registration.endpoint.clone(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3, 4, 5].map(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    Ok(rows.iter().map(line).collect())
}

/// The beginning of a key, for a table.
fn short_key(key: Option<[u8; 32]>, revoked: bool) -> String {
    match key {
        None => "unsigned".to_owned(),
        Some(_) if revoked => "revoked".to_owned(),
        Some(key) => hex::encode(&key[..4]),
    }
}

/// Whether others can have it; nothing where nothing is said.
fn openness(openness: Openness) -> &'static str {
    match openness {
        Openness::Unsaid => "",
        Openness::Open => "open",
        Openness::Described => "described",
        Openness::Closed => "closed",
    }
}

/// What of a conversation the router shows it.
fn earlier_turns(count: usize) -> String {
    match count {
        0 => "none: it sees the question alone".to_owned(),
        count => format!("up to {count} of the user's, with a question that follows up on them"),
    }
}

fn card_json(bytes: &[u8]) -> Result<Value, Failure> {
    let published = PublishedCard::read(bytes.to_vec())?;
    let card = published.card();
    Ok(json!({
        "id": card.id.as_str(),
        "title": card.title,
        "institution": card.institution,
        "description": card.description,
        "example_questions": card.example_questions,
        "notice": card.notice,
        "asks_consent": card.asks_consent,
        "probing": probes(card.probing),
        "title_share": card.title_share,
        "history_turns_max": card.history_turns_max,
        "license": card.license,
        "public_endpoint": card.public_endpoint.to_string(),
        "generator": card.generator,
        "passage_count": card.passage_count,
        "revision": card.revision,
        "public_key": card.public_key.map(hex::encode),
        "weights_openness": openness(card.weights_openness),
        "data_openness": openness(card.data_openness),
        "intended_use": card.intended_use,
        "retention": card.retention,
        "weights_sha256": card.weights_sha256.map(|digest| digest.to_string()),
        "data_sha256": card.data_sha256.map(|digest| digest.to_string()),
        "passages_root": card.passages_root.map(|digest| digest.to_string()),
        "sha256": published.digest().to_string(),
    }))
}

fn space_json(space: Option<&wire::Space>) -> Result<Value, Failure> {
    let Some(space) = space else { return Ok(Value::Null) };
    let weights = Digest::read("space.weights_sha256", &space.weights_sha256)?;
    Ok(json!({
        "encoder": space.encoder,
        "weights_sha256": weights.to_string(),
        "pooling": space.pooling().as_str_name().trim_start_matches("POOLING_").to_lowercase(),
        "prefix": space.prefix,
        "dimension": space.dimension,
    }))
}

fn origin_json(origin: wire::PrototypeOrigin) -> String {
    origin.as_str_name().trim_start_matches("PROTOTYPE_ORIGIN_").to_lowercase()
}

fn report_json(report: &Report) -> Result<Value, Failure> {
    Ok(json!({
        "endpoint": report.endpoint,
        "card": card_json(&report.card)?,
        "prototype_origin": origin_json(report.prototype_origin()),
        "prototype_count": report.prototype_count,
        "space": space_json(report.space.as_ref())?,
        "registered": report.registered,
        "duration_ms": report.duration_ms,
        "exam": report.exam.as_ref().map(registry::exam::json),
    }))
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "examined": finding.examined,
        "passed": finding.passed,
        "detail": finding.detail,
    })
}

fn registration_json(registration: &Registration) -> Result<Value, Failure> {
    Ok(json!({
        "endpoint": registration.endpoint,
        "card": card_json(&registration.card)?,
        "enabled": registration.state() == wire::State::Enabled,
        "healthy": registration.healthy,
        "prototype_origin": origin_json(registration.prototype_origin()),
        "prototype_count": registration.prototype_count,
        "registered_at_ms": registration.registered_at_ms,
        "updated_at_ms": registration.updated_at_ms,
        "exam": registration.exam.as_ref().map(registry::exam::json),
        "despite_exam": registration.despite_exam,
        "signature": hex::encode(&registration.signature),
        "key_revoked": registration.key_revoked,
    }))
}

/// What its index may be shown of a question.
fn probes(probing: Probing) -> &'static str {
    match probing {
        Probing::Off => "off",
        Probing::Vector => "vector",
        Probing::Terms => "terms",
    }
}
