//! By what a sentence shows that it holds the kind of answer that a question wants.

use super::intent::Intent;

const CAUSE: [&str; 14] = [
    "cause",
    "causes",
    "caused",
    "due",
    "because",
    "risk",
    "result",
    "results",
    "inherited",
    "mutation",
    "mutations",
    "mutated",
    "reason",
    "reasons",
];

const SYMPTOM: [&str; 9] = [
    "symptom",
    "symptoms",
    "sign",
    "signs",
    "characterized",
    "effects",
    "features",
    "complain",
    "experience",
];

const TREATMENT: [&str; 18] = [
    "treat",
    "treats",
    "treated",
    "treating",
    "treatment",
    "treatments",
    "therapy",
    "therapies",
    "surgery",
    "medicine",
    "medicines",
    "medication",
    "medications",
    "drug",
    "drugs",
    "cure",
    "manage",
    "management",
];

/// What a number counts in a dose or an amount; also as a part of "20mg" and "5%".
const UNITS: [&str; 43] = [
    "mg",
    "g",
    "kg",
    "mcg",
    "ml",
    "l",
    "litre",
    "litres",
    "liter",
    "liters",
    "gram",
    "grams",
    "milligrams",
    "tablet",
    "tablets",
    "dose",
    "doses",
    "time",
    "times",
    "hour",
    "hours",
    "minute",
    "minutes",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "percent",
    "km",
    "kilometers",
    "miles",
    "meters",
    "degrees",
    "cm",
    "mm",
    "dollars",
    "million",
    "billion",
    "people",
];

/// Numbers that are written as words.
const NUMBERS: [&str; 13] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "half", "once", "twice"];

const HOW_TO: [&str; 12] =
    ["step", "steps", "you", "follow", "click", "select", "use", "run", "contact", "call", "first", "should"];

impl Intent {
    /// Whether `text` looks like what this intent wants.
    pub(super) fn is_shown_by(self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let any = |marks: &[&str]| words.iter().any(|word| marks.contains(word));
        match self {
            Self::Definition => {
                [" is a ", " is an ", " is the ", " means ", " refers to ", " is called ", " are "]
                    .iter()
                    .any(|mark| lower.contains(mark))
            }
            Self::Cause => any(&CAUSE),
            Self::Symptom => any(&SYMPTOM),
            Self::Treatment => any(&TREATMENT),
            Self::Dose => has_amount(&words, &lower),
            Self::HowTo => any(&HOW_TO),
            Self::YesNo => matches!(words.first(), Some(&("yes" | "no"))),
            Self::List => is_list(text),
            Self::Other => false,
        }
    }
}

/// Whether a number with its unit is in a text.
fn has_amount(words: &[&str], lower: &str) -> bool {
    let counted = words.windows(2).any(|pair| match pair {
        [number, unit] => {
            (NUMBERS.contains(number) || number.starts_with(|c: char| c.is_ascii_digit()))
                && UNITS.contains(unit)
        }
        _ => false,
    });
    let joined = |word: &str| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < word.len() && UNITS.contains(&unit)
    };
    counted || words.iter().any(|word| joined(word)) || lower.contains(['$', '€', '£', '%', '°'])
}

/// Whether a list begins in a text.
fn is_list(text: &str) -> bool {
    proto::sentences::is_list_item(text) || text.contains(": - ") || text.trim_end().ends_with(':')
}
