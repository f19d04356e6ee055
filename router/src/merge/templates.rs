//! All words that the router ever adds to an answer. Each is a template that is published as it stands here, and
//! filled by nobody else.

use super::{Difference, Speaker};
use crate::route::Foreign;

/// A text of the router's own; in braces stands what it is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Template {
    /// Before the words of everybody but the first.
    Heading,
    /// After the words that a source carries.
    Mark,
    /// In place of words all of which repeat what stands above.
    AgreesWhole,
    /// In place of words part of which repeat what stands above.
    AgreesPart,
    /// After words that differ from others above.
    Differ,
    /// After words that were to go on.
    BrokeOff,
    /// When nobody covers the question.
    Abstention,
    /// When nobody covers the question, and its language is none that the encoder covers.
    AbstentionForeign,
    /// When nobody is registered.
    NobodyRegistered,
    /// Before the words of the general specialist.
    General,
    /// When whoever could be asked was left out or is disabled.
    LeftOut,
    /// When whoever covers the question asks for consent that the asker has not given.
    ConsentMissing,
    /// When nobody answers, by their own word.
    NoAnswer,
    /// Plain sources, for clients that show nothing else of them.
    Footer,
    /// One of these.
    FooterLine,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Heading,
        Self::Mark,
        Self::AgreesWhole,
        Self::AgreesPart,
        Self::Differ,
        Self::BrokeOff,
        Self::Abstention,
        Self::AbstentionForeign,
        Self::NobodyRegistered,
        Self::General,
        Self::LeftOut,
        Self::ConsentMissing,
        Self::NoAnswer,
        Self::Footer,
        Self::FooterLine,
    ];

    /// Its name among the router's rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heading => "merge/heading",
            Self::Mark => "merge/mark",
            Self::AgreesWhole => "merge/agrees-whole",
            Self::AgreesPart => "merge/agrees-part",
            Self::Differ => "merge/differ",
            Self::BrokeOff => "merge/broke-off",
            Self::Abstention => "merge/abstention",
            Self::AbstentionForeign => "merge/abstention-foreign",
            Self::NobodyRegistered => "merge/nobody-registered",
            Self::General => "merge/general",
            Self::LeftOut => "merge/left-out",
            Self::ConsentMissing => "merge/consent-missing",
            Self::NoAnswer => "merge/no-answer",
            Self::Footer => "merge/footer",
            Self::FooterLine => "merge/footer-line",
        }
    }

    /// Its words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Heading => "\n\n**{name}**\n\n",
            Self::Mark => " [{number}]",
            Self::AgreesWhole => "\n\n*{name} says the same*{marks}",
            Self::AgreesPart => "\n\n*{name} says part of this too*{marks}",
            Self::Differ => "\n\n*{one} and {other} differ in {differences}.*",
            Self::BrokeOff => "\n\n*{title} broke off here: the words above are incomplete.*",
            Self::Abstention => "No specialist here covers this question. Considered: {names}.",
            Self::AbstentionForeign => {
                "No specialist here covers this question. It seems to be in {language}, and this router's encoder \
                 covers {covered}: please ask again in {either}. Considered: {names}."
            }
            Self::NobodyRegistered => {
                "No specialist is registered with this router yet, so nobody can answer."
            }
            Self::General => "No specialist here covers this question, so the general one is asked.",
            Self::LeftOut => "Nobody is left to ask. Left out or disabled: {names}.",
            Self::ConsentMissing => {
                "Nobody was asked yet: before your question goes there, you have to agree that it is seen by: \
                 {names}."
            }
            Self::NoAnswer => "Nothing in their texts answers this question, by their own word: {names}.",
            Self::Footer => "\n\nSources:{lines}",
            Self::FooterLine => "\n[{number}] {heading} ({specialist}) {url}",
        }
    }

    /// Its words with `values` in the places of the names in braces.
    fn fill(self, values: &[(&str, &str)]) -> OwnWords {
        let mut text = String::new();
        let mut rest = self.text();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let value = values.iter().find(|(given, _)| *given == name);
            debug_assert!(value.is_some(), "{name} is not filled");
            text.push_str(before);
            text.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        text.push_str(rest);
        OwnWords { template: self, text }
    }
}

/// Words of the router's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnWords {
    /// What they were made from.
    pub template: Template,
    /// The words.
    pub text: String,
}

/// `name` is an institution's or a domain's.
pub(super) fn heading(name: &str) -> OwnWords {
    Template::Heading.fill(&[("name", name)])
}

pub(super) fn mark(number: usize) -> OwnWords {
    Template::Mark.fill(&[("number", &number.to_string())])
}

/// `name` repeats what stands above, as a `whole` or in part; `sources` are the numbers of its own.
pub(super) fn agrees(name: &str, whole: bool, sources: &[usize]) -> OwnWords {
    let template = if whole { Template::AgreesWhole } else { Template::AgreesPart };
    let marks: String = sources.iter().map(|number| mark(*number).text).collect();
    template.fill(&[("name", name), ("marks", &marks)])
}

/// `one` and `other` are sources or names.
pub(super) fn differ(one: &str, other: &str, differences: &[Difference]) -> OwnWords {
    let name = |difference: &Difference| match difference {
        Difference::Numbers => "numbers",
        Difference::Units => "units",
        Difference::Dates => "dates",
        Difference::Negation => "negation",
    };
    let names: Vec<&str> = differences.iter().map(name).collect();
    Template::Differ.fill(&[("one", one), ("other", other), ("differences", &names.join(", "))])
}

pub(super) fn broke_off(speaker: &Speaker) -> OwnWords {
    Template::BrokeOff.fill(&[("title", &verbatim(&speaker.title))])
}

/// When nobody covers the question, which may be in a `foreign` language; `considered` come best first.
pub fn abstention(considered: &[Speaker], foreign: Option<&Foreign>) -> OwnWords {
    let names = names(considered);
    if considered.is_empty() {
        return Template::NobodyRegistered.fill(&[]);
    }
    let Some(Foreign { language, covered }) = foreign else {
        return Template::Abstention.fill(&[("names", &names)]);
    };
    let covered: Vec<&str> = covered.iter().map(|language| language.name()).collect();
    Template::AbstentionForeign.fill(&[
        ("language", language.name()),
        ("covered", &covered.join(" and ")),
        ("either", &covered.join(" or ")),
        ("names", &names),
    ])
}

/// Before the words of the general specialist.
pub fn general() -> OwnWords {
    Template::General.fill(&[])
}

/// When whoever could be asked was left out or is disabled.
pub fn left_out(considered: &[Speaker]) -> OwnWords {
    Template::LeftOut.fill(&[("names", &names(considered))])
}

/// When whoever covers the question asks for consent that the asker has not given.
pub fn consent_missing(asking: &[Speaker]) -> OwnWords {
    Template::ConsentMissing.fill(&[("names", &names(asking))])
}

/// When nobody answers, and `saying` say that their corpus holds no answer.
pub fn no_answer(saying: &[Speaker]) -> OwnWords {
    Template::NoAnswer.fill(&[("names", &names(saying))])
}

/// The `sources` of an answer as plain text.
pub fn footer(sources: &[super::Source]) -> OwnWords {
    let line = |source: &super::Source| {
        let super::Source { number, specialist, passage } = source;
        let (number, heading) = (number.to_string(), passage.heading());
        let values = [
            ("number", number.as_str()),
            ("heading", &heading),
            ("specialist", specialist.as_str()),
            ("url", &passage.url),
        ];
        Template::FooterLine.fill(&values).text
    };
    let lines: String = sources.iter().map(line).collect();
    Template::Footer.fill(&[("lines", &lines)])
}

fn names(speakers: &[Speaker]) -> String {
    let name =
        |speaker: &Speaker| format!("{} ({})", verbatim(&speaker.title), verbatim(&speaker.institution));
    let names = speakers.iter().map(name);
    names.collect::<Vec<_>>().join(", ")
}

/// A `name` as Markdown that shows just it: what others call themselves is neither a link nor emphasis in the router's
/// own words.
pub(super) fn verbatim(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let rest = &name[at..];
        let marks = matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '$' | '@');
        // Addresses become links by themselves.
        let leads = rest.starts_with("://") || (c == '.' && name[..at].to_ascii_lowercase().ends_with("www"));
        if marks || leads {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markdown() {
        for name in ["Children's Hospital (Basel), R&D", "Soins d’enfants: 2–6 ans", "www"] {
            assert_eq!(verbatim(name), name);
        }
        assert_eq!(verbatim("**b** [a](//x) <i> a_b"), r"\*\*b\*\* \[a\](//x) \<i> a\_b");
        assert_eq!(
            verbatim("https://x.example WWW.x.example a@x.example"),
            r"https\://x.example WWW\.x.example a\@x.example"
        );
    }

    #[test]
    fn what_stands_in_braces_is_filled_once() {
        assert_eq!(heading("{name} {x}").text, "\n\n**{name} {x}**\n\n");
        assert_eq!(
            differ("[1]", "[2]", &[Difference::Units, Difference::Dates]).text,
            "\n\n*[1] and [2] differ in units, dates.*"
        );
        assert_eq!(agrees("A", true, &[3, 4]).text, "\n\n*A says the same* [3] [4]");
    }

    #[test]
    fn no_two_templates_share_a_name() {
        let names: std::collections::HashSet<&str> =
            Template::ALL.iter().map(|template| template.name()).collect();
        assert_eq!(names.len(), Template::ALL.len());
    }
}
