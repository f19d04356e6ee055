//! Every word has an owner, and stands where its owner put it.

use std::{collections::BTreeMap, ops::Range};

use proto::SpecialistId;
use router::{
    ask::{Event, Reason},
    merge::{Agreement, Part, Source, Span},
    route::Status,
};

use super::{Case, ensure};
use crate::script::{self, Line};

/// An answer as it grows.
#[derive(Default)]
struct Text<'a> {
    /// All of it.
    all: String,
    sources: Vec<&'a Source>,
    /// What each has said, by the numbers of its sentences.
    said: BTreeMap<&'a SpecialistId, Vec<usize>>,
    /// The numbers of each one's sentences that agree with another's.
    agreed: BTreeMap<&'a SpecialistId, Vec<usize>>,
    /// Whose words stand there, in their order.
    spoke: Vec<&'a SpecialistId>,
    /// Whose words or sources do.
    shown: Vec<&'a SpecialistId>,
    /// The source of the latest words, where they have one.
    cited: Option<usize>,
    /// The router's own words since then, those aside that say who agrees.
    own: String,
}

/// Spans follow each other without a gap. A specialist's are its script's words, without those that another
/// says or that nobody needs; the router's are the ones that belong there.
pub(super) fn owned(case: &Case) -> Result<(), String> {
    let mut text = Text::default();
    for heard in &case.answer.heard {
        if let Some(who) = heard.owner().filter(|who| !text.shown.contains(who)) {
            text.shown.push(who);
        }
        match &heard.event {
            Event::Part(Part::Source(source)) => text.source(case, source)?,
            Event::Part(Part::Span(span)) => {
                let length = text.all.len();
                ensure!(span.start == length, "a span starts at {}, after {length}", span.start);
                match span.specialist() {
                    Some(who) => text.words(case, who, span)?,
                    None => text.own(span),
                }
                text.all.push_str(&span.text);
            }
            Event::Part(Part::Agreement(agreement)) => text.agreement(case, agreement)?,
            Event::Part(Part::Disagreement(both)) => return Err(format!("nobody differs: {both:?}")),
            Event::Finish(finish) => text.finish(case, finish)?,
        }
    }
    Ok(())
}

impl<'a> Text<'a> {
    /// Who agrees is named where none of its words are there; all else belongs between words.
    fn own(&mut self, span: &Span) {
        let silent = self.shown.last().filter(|who| !self.spoke.contains(who));
        let sources = silent.map_or(String::new(), |silent| {
            let sources = self.sources.iter().filter(|source| source.specialist == **silent);
            sources.map(|source| format!(" [{}]", source.number)).collect()
        });
        let said = ["says the same", "says part of this too"];
        let agrees = silent
            .is_some_and(|who| said.iter().any(|said| span.text == format!("\n\n*{who} {said}*{sources}")));
        if !agrees {
            self.own.push_str(&span.text);
        }
    }

    /// What is agreed with is the other's sentence of the same number, which stands there.
    fn agreement(&mut self, case: &Case, agreement: &'a Agreement) -> Result<(), String> {
        let Agreement { range, specialist, citation } = agreement;
        let Some(words) = self.all.get(range.clone()) else {
            return Err(format!("{specialist} agrees with {range:?}, where nothing stands"));
        };
        let mut said = self.said.iter().filter(|(who, _)| **who != specialist);
        let nth = said.find_map(|(who, said)| {
            said.iter().copied().find(|nth| script::words(who.as_str(), case.question, *nth).trim() == words)
        });
        let Some(nth) = nth else { return Err(format!("{specialist} agrees with {words:?}")) };
        let again = self.said.get(specialist).is_some_and(|said| said.contains(&nth));
        ensure!(!again, "{specialist} agrees with {words:?}, and says it again");
        let agreed = self.agreed.entry(specialist).or_default();
        ensure!(!agreed.contains(&nth), "{specialist} agrees twice with {words:?}");
        agreed.push(nth);
        self.cites(case, specialist, nth, citation.as_ref())
    }

    /// The `nth` sentence of `who` is said to cite what it cites.
    fn cites(
        &self,
        case: &Case,
        who: &SpecialistId,
        nth: usize,
        citation: Option<&(usize, Range<usize>)>,
    ) -> Result<(), String> {
        let Some(place) = case.line().find(|&place| case.id(place) == who) else {
            return Err(format!("{who} is cited, and was not to be asked"));
        };
        let shown = citation.map(|(number, range)| {
            let source = self.sources.get(number - 1).filter(|source| source.specialist == *who);
            source.map(|source| (source.passage.id.clone(), range.clone()))
        });
        let sent = cited_by(&case.script(place).lines, nth).map(|nth| {
            let passage = script::passage(who.as_str(), case.question, nth);
            Some((passage.passage_id, 0..passage.text.len()))
        });
        ensure!(shown == sent, "{who} is said to cite {shown:?}, and it cites {sent:?}");
        Ok(())
    }

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
                    text.push_str(&format!("\n\n**{who}**\n\n"));
                }
            }
        } else if self.cited != cited {
            expected = vec![self.mark()];
        }
        ensure!(expected.contains(&self.own), "before {:?} stands {:?}", span.text, self.own);
        self.own.clear();
        self.cited = cited;

        let last = self.said.get(who).and_then(|said| said.last().copied()).unwrap_or(0);
        let nth = (last + 1..=case.script(place).words()).find(|nth| {
            let words = script::words(who.as_str(), case.question, *nth);
            span.text == words || span.text == words.trim_end()
        });
        let Some(nth) = nth else {
            return Err(format!("{who} is said to say {:?}, and does not", span.text));
        };
        self.said.entry(who).or_default().push(nth);
        self.cites(case, who, nth, span.citation.as_ref())
    }

    fn finish(&mut self, case: &Case, finish: &router::ask::Finish) -> Result<(), String> {
        let places: Vec<&SpecialistId> = finish.spoke.iter().map(|&place| case.id(place)).collect();
        ensure!(places == self.shown, "{places:?} are said to speak, and {:?} do", self.shown);
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
            case.answer.heard.iter().find(|heard| heard.span().is_some_and(|s| s.specialist().is_some()));
        let first = first.and_then(|heard| heard.at.checked_sub(case.answer.began));
        let said = finish.first_words;
        ensure!(said == first, "the first words are said to take {said:?}, and took {first:?}");
        (0..finish.candidates.len()).try_for_each(|place| self.accounted(case, finish, place))
    }

    /// All that somebody says who answers is there, or is said to be left out, and with reason. The lead is
    /// never left out.
    fn accounted(&self, case: &Case, finish: &router::ask::Finish, place: usize) -> Result<(), String> {
        let who = case.id(place);
        let bytes = |nths: &mut dyn Iterator<Item = usize>| -> usize {
            nths.map(|nth| script::words(who.as_str(), case.question, nth).trim().len()).sum()
        };
        let of = |all: &BTreeMap<&SpecialistId, Vec<usize>>| all.get(who).cloned().unwrap_or_default();
        let (said, agreed) = (of(&self.said), of(&self.agreed));
        let left = finish.left_out.iter().find(|left| left.specialist == *who);
        let (repeated, outranked) = left.map_or((0, 0), |left| (left.repeated, left.outranked));
        let leads = self.spoke.first() == Some(&who);
        ensure!(!leads || left.is_none(), "{who} leads, and is left out: {left:?}");
        ensure!(
            repeated == bytes(&mut agreed.iter().copied()),
            "{who} agrees with {agreed:?}, and {repeated} bytes are left out for that"
        );
        if finish.candidates[place].status == Status::Answered {
            let all = bytes(&mut (1..=case.script(place).words()));
            let there = bytes(&mut said.iter().copied());
            ensure!(
                there + repeated + outranked == all,
                "{who} says {all} bytes: {there} are there, {repeated} repeat, {outranked} are outranked"
            );
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
