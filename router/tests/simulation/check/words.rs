//! Every word has an owner, and stands where its owner put it.

use std::collections::BTreeMap;

use proto::SpecialistId;
use router::{
    ask::{Event, Reason},
    merge::{Part, Source, Span},
    route::Status,
};

use super::{Case, ensure};
use crate::script::{self, Line};

/// An answer as it grows.
#[derive(Default)]
struct Text<'a> {
    bytes: usize,
    sources: Vec<&'a Source>,
    /// How often each has said something.
    said: BTreeMap<&'a SpecialistId, usize>,
    /// Whose words stand there, in their order.
    spoke: Vec<&'a SpecialistId>,
    /// The source of the latest words, where they have one.
    cited: Option<usize>,
    /// The router's own words since then.
    own: String,
}

/// Spans follow each other without a gap. A specialist's are its script's words, from the first on; the
/// router's are the ones that belong there.
pub(super) fn owned(case: &Case) -> Result<(), String> {
    let mut text = Text::default();
    for heard in &case.answer.heard {
        match &heard.event {
            Event::Part(Part::Source(source)) => text.source(case, source)?,
            Event::Part(Part::Span(span)) => {
                ensure!(span.start == text.bytes, "a span starts at {}, after {}", span.start, text.bytes);
                text.bytes += span.text.len();
                match &span.specialist {
                    Some(who) => text.words(case, who, span)?,
                    None => text.own.push_str(&span.text),
                }
            }
            Event::Finish(finish) => text.finish(case, finish)?,
        }
    }
    Ok(())
}

impl<'a> Text<'a> {
    fn source(&mut self, case: &Case, source: &'a Source) -> Result<(), String> {
        let Source { number, specialist, passage } = source;
        self.sources.push(source);
        ensure!(*number == self.sources.len(), "source {number} is the {}th", self.sources.len());
        let nth = passage.id[1..].parse().unwrap();
        let sent = script::passage(specialist.as_str(), case.question, nth);
        let right = (&passage.title, &passage.text) == (&sent.title, &sent.text);
        ensure!(right, "source {number} is not what {specialist} sent");
        Ok(())
    }

    fn words(&mut self, case: &Case, who: &'a SpecialistId, span: &'a Span) -> Result<(), String> {
        let Some(place) = case.line().find(|&place| case.id(place) == who) else {
            return Err(format!("{who} speaks, and was not to be asked"));
        };
        let before = self.spoke.last().copied();
        let cited = span.citation.as_ref().map(|(number, _)| *number);
        let mut expected = vec![String::new()];
        if before != Some(who) {
            ensure!(!self.spoke.contains(&who), "{who} speaks in two places");
            self.spoke.push(who);
            expected = before.map_or(expected, |before| self.closing(case, before));
            if before.is_some() {
                for text in &mut expected {
                    text.push_str(&format!("\n\n**{who}** ({who})\n\n"));
                }
            }
        } else if self.cited != cited {
            expected = vec![self.mark()];
        }
        ensure!(expected.contains(&self.own), "before {:?} stands {:?}", span.text, self.own);
        self.own.clear();
        self.cited = cited;

        let said = self.said.entry(who).or_default();
        *said += 1;
        let script = case.script(place);
        ensure!(*said <= script.words(), "{who} says more than it has said");
        let right = script::words(who.as_str(), case.question, *said);
        ensure!(span.text == right, "{who} is said to say {:?}, and it says {right:?}", span.text);
        let passage = cited_by(&script.lines, *said);
        let shown = span.citation.as_ref().map(|(number, range)| {
            let source = self.sources.get(number - 1).filter(|source| source.specialist == *who);
            source.map(|source| (source.passage.id.clone(), range.clone()))
        });
        let sent = passage.map(|nth| {
            let passage = script::passage(who.as_str(), case.question, nth);
            Some((passage.passage_id, 0..passage.text.len()))
        });
        ensure!(shown == sent, "{who} is said to cite {shown:?}, and it cites {sent:?}");
        Ok(())
    }

    fn finish(&mut self, case: &Case, finish: &router::ask::Finish) -> Result<(), String> {
        let places: Vec<&SpecialistId> = finish.spoke.iter().map(|&place| case.id(place)).collect();
        ensure!(places == self.spoke, "{places:?} are said to speak, and {:?} do", self.spoke);
        let lead = case.asked.first().map(|&place| case.id(place));
        let led = lead.is_none_or(|lead| !self.spoke.contains(&lead) || self.spoke[0] == lead);
        ensure!(led, "{lead:?} leads, and does not speak first");
        match self.spoke.last() {
            Some(last) => {
                let expected = self.closing(case, last);
                ensure!(expected.contains(&self.own), "after {last} stands {:?}", self.own);
            }
            None if finish.reason == Reason::NoAnswer => {
                let said = case.line().filter(|&place| case.status(place) == Some(Status::NoAnswer));
                let names: Vec<String> = said.map(|place| format!("{0} ({0})", case.id(place))).collect();
                let by = format!(", by their own word: {}.", names.join(", "));
                ensure!(self.own.ends_with(&by), "it ends with {:?}, where only {by:?} is true", self.own);
            }
            None => ensure!(finish.reason == Reason::Abstained, "there is no word in it"),
        }
        let first =
            case.answer.heard.iter().find(|heard| heard.span().is_some_and(|s| s.specialist.is_some()));
        let first = first.and_then(|heard| heard.at.checked_sub(case.answer.began));
        let said = finish.first_words;
        ensure!(said == first, "the first words are said to take {said:?}, and took {first:?}");
        for (place, candidate) in finish.candidates.iter().enumerate() {
            let (id, words) = (case.id(place), case.script(place).words());
            let said = self.said.get(id).copied().unwrap_or(0);
            let whole = candidate.status != Status::Answered || said == words;
            ensure!(whole, "{id} answered, and {said} of the {words} things that it says are there");
        }
        Ok(())
    }

    /// The router's words that may stand after the words of `who`, the last of its own.
    fn closing(&self, case: &Case, who: &SpecialistId) -> Vec<String> {
        let note = format!("\n\n*{who} broke off here: the words above are incomplete.*");
        let broke_off = self.mark() + &note;
        let status = case.line().find(|&place| case.id(place) == who).and_then(|place| case.status(place));
        match status {
            Some(Status::Answered) => vec![self.mark()],
            Some(_) => vec![broke_off],
            // Whoever leaves early is not told.
            None => vec![self.mark(), broke_off],
        }
    }

    fn mark(&self) -> String {
        self.cited.map_or_else(String::new, |number| format!(" [{number}]"))
    }
}

/// The passage that a specialist cites the `nth` time it says something.
fn cited_by(lines: &[(std::time::Duration, Line)], nth: usize) -> Option<usize> {
    let at = lines.iter().enumerate().filter(|(_, (_, line))| line.is_words()).nth(nth - 1)?.0;
    let sent = lines[..at].iter().filter(|(_, line)| *line == Line::Passage).count();
    (lines[at].1 == Line::Cited).then_some(sent)
}
