//! What kind of answer a question wants, by its wording. The cues are English; a question in another language
//! has the intent `Other`, and is answered all the same.

/// Between two clauses, and before the first.
const CLAUSE: &str = "|";

/// Openings that say nothing about what is wanted.
const POLITE: [&str; 16] = [
    "please",
    "hi",
    "hello",
    "and",
    "so",
    "but",
    "can you tell me",
    "could you tell me",
    "can you explain",
    "could you explain",
    "can you please tell me",
    "i would like to know",
    "i d like to know",
    "i want to know",
    "do you know",
    "tell me",
];

/// What a question begins with that yes or no answers.
const AUXILIARIES: [&str; 22] = [
    "is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "should", "shall", "will",
    "would", "may", "might", "must", "has", "have", "had", "isn t", "aren t",
];

/// What a question begins with that yes or no does not answer.
const INTERROGATIVES: [&str; 11] =
    ["what", "whats", "which", "who", "whom", "whose", "where", "when", "why", "how", "define"];

const DOSE: [&str; 16] = [
    "dose",
    "doses",
    "dosage",
    "dosages",
    "dosing",
    "how much",
    "how many",
    "how often",
    "how long",
    "how old",
    "how high",
    "how big",
    "how fast",
    "how far",
    "mg",
    "milligrams",
];

const CAUSE: [&str; 19] = [
    "cause",
    "causes",
    "caused",
    "causing",
    "risk factor",
    "risk factors",
    "at risk",
    "due to",
    "reason",
    "reasons",
    "leads to",
    "lead to",
    "results in",
    "comes from",
    "come from",
    "how do you get",
    "how does one get",
    "how do people get",
    "responsible for",
];

const SYMPTOM: [&str; 15] = [
    "symptom",
    "symptoms",
    "sign",
    "signs",
    "side effect",
    "side effects",
    "adverse effects",
    "feel like",
    "look like",
    "know if i have",
    "know i have",
    "tell if i have",
    "tell if someone has",
    "how to recognize",
    "how to recognise",
];

const TREATMENT: [&str; 27] = [
    "treat",
    "treats",
    "treated",
    "treating",
    "treatment",
    "treatments",
    "therapy",
    "therapies",
    "cure",
    "cures",
    "cured",
    "remedy",
    "remedies",
    "medicine",
    "medicines",
    "medication",
    "medications",
    "drug",
    "drugs",
    "what helps",
    "helps against",
    "help against",
    "help with",
    "get rid of",
    "relieve",
    "what to do for",
    "what to do about",
];

const HOW_TO: [&str; 18] = [
    "how to",
    "how do i",
    "how do we",
    "how do you",
    "how can i",
    "how can we",
    "how can you",
    "how can one",
    "how should i",
    "how should we",
    "how would i",
    "steps",
    "way to",
    "ways to",
    "what should i do",
    "what do i do",
    "what can i do",
    "instructions",
];

const LIST: [&str; 18] = [
    "list",
    "name the",
    "name some",
    "what are the",
    "what are some",
    "what kind of",
    "what kinds of",
    "what type of",
    "what types of",
    "what other",
    "which other",
    "types of",
    "kinds of",
    "examples of",
    "forms of",
    "stages of",
    "complications",
    "requirements",
];

/// These only where a clause begins.
const DEFINITION: [&str; 11] = [
    "what is",
    "what are",
    "what s",
    "whats",
    "who is",
    "who was",
    "who s",
    "define",
    "definition of",
    "about",
    "explain",
];

/// What no name begins with: "for infants?".
const PREPOSITIONS: [&str; 10] =
    ["for", "with", "without", "in", "on", "at", "after", "before", "from", "if"];

/// The most words of a question that is only a name.
const NAME_WORDS_MAX: usize = 2;

/// The kind of answer that a question wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// What something is.
    Definition,
    /// Why something is so, or who is at risk of it.
    Cause,
    /// What something shows itself by, side effects included.
    Symptom,
    /// What is done against something.
    Treatment,
    /// An amount: how much, how many, how often, how long.
    Dose,
    /// What somebody has to do.
    HowTo,
    /// Whether something is so.
    YesNo,
    /// Several things by name.
    List,
    /// Anything else.
    Other,
}

impl Intent {
    /// The intent of `question`: by its form where that is "why" or "yes or no", then by the first subject that
    /// it names, then by its form again.
    pub(super) fn of(question: &str) -> Self {
        let clauses = clauses(question);
        let whole = clauses.concat() + CLAUSE;
        if clauses.iter().any(|clause| begins(clause, &["why", "how come"])) {
            return Self::Cause;
        }
        let named = named(&whole);
        if is_yes_no(&clauses, named.is_some()) {
            return Self::YesNo;
        }
        named.unwrap_or_else(|| by_form(&clauses, &whole))
    }

    /// The intent of `question`, or where it has none by itself, that of what was said before it: `earlier`.
    pub(super) fn of_follow_up(earlier: &str, question: &str) -> Self {
        match Self::of(question) {
            Self::Other => Self::of(earlier),
            own => own,
        }
    }
}

/// The intent whose subject is named first; an amount goes before all others.
fn named(whole: &str) -> Option<Intent> {
    if first(whole, &DOSE).is_some() {
        return Some(Intent::Dose);
    }
    let subjects =
        [(Intent::Cause, &CAUSE[..]), (Intent::Symptom, &SYMPTOM), (Intent::Treatment, &TREATMENT)];
    let found = subjects.into_iter().filter_map(|(intent, cues)| Some((first(whole, cues)?, intent)));
    found.min_by_key(|(at, _)| *at).map(|(_, intent)| intent)
}

fn by_form(clauses: &[String], whole: &str) -> Intent {
    if first(whole, &HOW_TO).is_some() {
        Intent::HowTo
    } else if first(whole, &LIST).is_some() {
        Intent::List
    } else if is_definition(clauses, whole) {
        Intent::Definition
    } else {
        Intent::Other
    }
}

/// Whether a clause begins as one that yes or no answers, and none as one that they do not. "Is there a cure?"
/// asks for the cure.
fn is_yes_no(clauses: &[String], names_subject: bool) -> bool {
    let existence = |clause: &str| names_subject && begins(clause, &["is there", "are there"]);
    clauses.iter().any(|clause| begins(clause, &AUXILIARIES) && !existence(clause))
        && !clauses.iter().any(|clause| begins(clause, &INTERROGATIVES))
}

/// "What is X?", "what does X mean?" or a mere name; but "what is the Y of X?" wants the Y.
fn is_definition(clauses: &[String], whole: &str) -> bool {
    let property = first(whole, &["what is the", "what s the"]).is_some()
        && first(whole, &["of", "for", "between", "in"]).is_some();
    let opened = clauses.iter().any(|clause| begins(clause, &DEFINITION));
    let words = whole.split_whitespace().filter(|word| *word != CLAUSE).count();
    let name = (1..=NAME_WORDS_MAX).contains(&words)
        && !clauses.iter().any(|clause| begins(clause, &INTERROGATIVES) || begins(clause, &PREPOSITIONS));
    !property && (opened || name || first(whole, &["mean", "means", "meant by", "meaning of"]).is_some())
}

/// The clauses of `question`, without polite openings, each as "| its words in lower case ".
fn clauses(question: &str) -> Vec<String> {
    let lower = question.to_lowercase();
    let clauses = lower.split(['.', '?', '!', ',', ';', ':', '\n']).map(|clause| {
        let words: Vec<&str> =
            clause.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut words = format!("{} ", words.join(" "));
        while let Some(rest) = POLITE.iter().find_map(|cue| words.strip_prefix(cue)?.strip_prefix(' ')) {
            words = rest.to_owned();
        }
        words
    });
    clauses.filter(|clause| !clause.trim().is_empty()).map(|clause| format!("{CLAUSE} {clause}")).collect()
}

fn begins(clause: &str, cues: &[&str]) -> bool {
    cues.iter().any(|cue| clause.starts_with(&format!("{CLAUSE} {cue} ")))
}

/// Where the first of `cues` stands in `whole`.
fn first(whole: &str, cues: &[&str]) -> Option<usize> {
    cues.iter().filter_map(|cue| whole.find(&format!(" {cue} "))).min()
}

#[cfg(test)]
mod tests;
