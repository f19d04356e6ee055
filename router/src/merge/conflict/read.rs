//! From the tokens of a sentence to what it says that can be compared.

use super::{
    facts::{Facts, holds},
    quantity::{Quantity, Unit, multiple, value},
    scan::{Kind, Token},
};

/// Words that say nothing of what a sentence is about.
const FUNCTION_WORDS: &str = " a about after all also an and any are around as at be been before between both but \
    by can could did do does during each every for from get gets give given gives had has have he her his how i if \
    in into is it its may might more most must of on one only or other our out over per shall she should so some \
    such take taken takes than that the their them then there these they this those to too under until up use used \
    uses was we were what when where which while who will with within would you your ";

/// Sorts of which numbers or letters name one.
const SORTS: &str = " stage stages type types grade grades phase phases section sections figure table chapter step \
    steps article class level part group category paragraph line version arm cycle day week month no number ";

const ORDINALS: &str = " first second third fourth fifth sixth seventh eighth ninth tenth ";

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What stands before a year.
const BEFORE_YEARS: &str = " in since by until till before after from to of between and during year early late mid around ( - – / , ";

/// What the sentence of these tokens says.
pub(super) fn read(tokens: &[Token]) -> Facts {
    let mut reader = Reader { tokens, facts: Facts::default() };
    let mut at = 0;
    while at < tokens.len() {
        at += reader.label(at).or_else(|| reader.date(at)).or_else(|| reader.quantity(at)).unwrap_or(1);
    }
    reader.words();
    reader.facts
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    facts: Facts,
}

impl Reader<'_> {
    fn lower(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.lower.as_str())
    }

    fn is(&self, at: usize, kind: Kind) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == kind)
    }

    /// "stage 2", "COVID-19", "first", "3rd": how many tokens it takes.
    fn label(&mut self, at: usize) -> Option<usize> {
        let token = &self.tokens[at];
        let ordinal = self.is(at + 1, Kind::Word)
            && self.tokens[at + 1].glued
            && ["st", "nd", "rd", "th"].contains(&self.lower(at + 1));
        if token.kind == Kind::Number
            && ordinal
            && self.month(at + 2).or_else(|| self.month(at + 3)).is_none()
        {
            let nth = token.lower.clone();
            self.labels("nth", nth);
            return Some(2);
        }
        if token.kind != Kind::Word {
            return None;
        }
        if holds(ORDINALS, &token.lower) {
            let nth = ORDINALS.split_whitespace().position(|nth| nth == token.lower)? + 1;
            self.labels("nth", nth.to_string());
            return Some(1);
        }
        let glued = self.lower(at + 1) == "-" && self.is(at + 2, Kind::Number) && self.tokens[at + 2].glued;
        if glued && self.tokens[at + 1].glued {
            let (sort, name) = (token.lower.clone(), self.lower(at + 2).to_owned());
            self.labels(&sort, name);
            return Some(3);
        }
        if !holds(SORTS, &token.lower) {
            return None;
        }
        let sort = stem(&token.lower).to_owned();
        // "no. 5".
        let mut next = at + 1 + usize::from(sort == "no" && self.lower(at + 1) == ".");
        let mut found = false;
        while self.tokens.get(next).is_some_and(names_one) {
            let name = self.lower(next).to_owned();
            self.labels(&sort, name);
            found = true;
            next += if ["to", "and", "or", "-", "–", ","].contains(&self.lower(next + 1)) { 2 } else { 1 };
        }
        found.then_some(next.min(self.tokens.len()) - at)
    }

    fn labels(&mut self, sort: &str, name: String) {
        self.facts.labels.entry(sort.to_owned()).or_default().insert(name);
    }

    /// The month that a token names, from 1. Some of them are words, too, in small letters.
    fn month(&self, at: usize) -> Option<u32> {
        let token = self.tokens.get(at)?;
        let month = (1_u32..).zip(MONTHS).find(|(_, name)| *name == token.lower)?.0;
        token.text.starts_with(char::is_uppercase).then_some(month)
    }

    fn plain(&self, at: usize, digits_max: usize) -> Option<u32> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Number)?;
        token.text.parse().ok().filter(|_| token.text.len() <= digits_max)
    }

    /// "3 May 2020", "May 3, 2020", "2020-05-03", "03.05.2020", "in 2020": how many tokens it takes.
    fn date(&mut self, at: usize) -> Option<usize> {
        if let Some(month) = self.month(at) {
            self.facts.months.insert(month);
            let day = self.plain(at + 1, 2).filter(|day| (1..=31).contains(day));
            self.facts.days.extend(day);
            return Some(1 + usize::from(day.is_some()));
        }
        let parts: Vec<String> = self.lower(at).split('.').map(str::to_owned).collect();
        if let [day, month, year] = parts.as_slice() {
            return self.whole(year, month, day).map(|()| 1);
        }
        let year = self.plain(at, 4)?;
        if year <= 31 {
            let ordinal = usize::from(["st", "nd", "rd", "th"].contains(&self.lower(at + 1)));
            let next = at + 1 + ordinal;
            self.month(next + usize::from(self.lower(next) == "of"))?;
            self.facts.days.insert(year);
            return Some(next - at);
        }
        if self.lower(at + 1) == "-" && self.lower(at + 3) == "-" && self.is(at + 4, Kind::Number) {
            let [year, month, day] = [at, at + 2, at + 4].map(|at| self.lower(at).to_owned());
            return self.whole(&year, &month, &day).map(|()| 5);
        }
        let before = at.checked_sub(1).map_or("(", |before| self.lower(before));
        let told =
            holds(BEFORE_YEARS, before) || at.checked_sub(1).is_some_and(|at| self.month(at).is_some());
        let counts = Unit::read(&self.tokens[at + 1..]).is_some();
        ((1_500..=2_100).contains(&year) && told && !counts).then(|| {
            self.facts.years.insert(year);
            1
        })
    }

    fn whole(&mut self, year: &str, month: &str, day: &str) -> Option<()> {
        let read = |text: &str, most| text.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
        let (year, month, day) = (read(year, 2_100)?, read(month, 12)?, read(day, 31)?);
        self.facts.years.insert(year);
        self.facts.months.insert(month);
        self.facts.days.insert(day);
        Some(())
    }

    /// A number or a range with its unit: how many tokens it takes.
    fn quantity(&mut self, at: usize) -> Option<usize> {
        if let times @ ("once" | "twice") = self.lower(at) {
            let number = if times == "once" { 1.0 } else { 2.0 };
            self.facts.quantities.push(Quantity {
                low: number,
                high: number,
                unit: Unit::times(),
                about: false,
            });
            return Some(1);
        }
        let (low, mut next) = self.number(at)?;
        let mut high = low;
        let mut unit = Unit::read(&self.tokens[next..]);
        let after = next + unit.as_ref().map_or(0, |(_, length)| *length);
        let range = matches!(self.lower(after), "-" | "–" | "to")
            || (matches!(self.lower(after), "and") && at > 0 && self.lower(at - 1) == "between");
        if let Some((second, end)) = self.number(after + 1).filter(|(second, _)| range && *second >= low) {
            (high, next) = (second, end);
            unit = Unit::read(&self.tokens[next..]).or(unit.map(|(unit, _)| (unit, 0)));
        }
        let money =
            at.checked_sub(1).and_then(|at| Unit::named(self.lower(at)).filter(|_| self.is(at, Kind::Mark)));
        let (unit, length) = match (unit, money) {
            (Some(unit), _) => unit,
            (None, Some(unit)) => (unit, 0),
            // "one" is seldom a number.
            (None, None) if self.lower(at) == "one" => return None,
            (None, None) => (self.counted(next), 0),
        };
        next += length;
        let (low, high, about) = self.bounds(at, low, high);
        // In "5 mg or 10 mg" and "5 or 10 mg" the unit is that of both.
        let joined = at > 1 && ["or", "and"].contains(&self.tokens[at - 1].lower.as_str());
        if let Some(last) = self.facts.quantities.last_mut().filter(|last| joined && last.unit.is_none()) {
            last.unit = unit.clone();
        }
        self.facts.quantities.push(Quantity { low, high, unit, about });
        Some(next - at)
    }

    /// A number and its multiple, and where it ends.
    fn number(&self, at: usize) -> Option<(f64, usize)> {
        let number = value(self.tokens.get(at)?)?;
        let multiple = self.tokens.get(at + 1).and_then(multiple);
        Some((number * multiple.unwrap_or(1.0), at + 1 + usize::from(multiple.is_some())))
    }

    /// What a number without a unit counts: what the next word says, where that says something.
    fn counted(&self, next: usize) -> Unit {
        let things = self.is(next, Kind::Word) && !holds(FUNCTION_WORDS, self.lower(next));
        if things { Unit::things(stem(self.lower(next))) } else { Unit::none() }
    }

    /// What the words before the number at `at` make of it: "up to", "at least", "about".
    fn bounds(&self, at: usize, low: f64, high: f64) -> (f64, f64, bool) {
        let word = |back: usize| at.checked_sub(back).map_or("", |at| self.lower(at));
        let (last, both) = (word(1), format!("{} {}", word(2), word(1)));
        let before = format!("{} {both}", word(3));
        match () {
            () if ["no more than", "not more than"].contains(&before.as_str()) => {
                (f64::NEG_INFINITY, high, false)
            }
            () if ["no less than", "not less than"].contains(&before.as_str()) => (low, f64::INFINITY, false),
            () if ["up to", "at most", "less than", "fewer than", "maximum of"].contains(&both.as_str()) => {
                (f64::NEG_INFINITY, high, false)
            }
            () if ["at least", "more than", "minimum of"].contains(&both.as_str()) => {
                (low, f64::INFINITY, false)
            }
            () if ["under", "below", "within", "<", "≤"].contains(&last) => {
                (f64::NEG_INFINITY, high, false)
            }
            () if ["over", "above", "exceeding", ">", "≥"].contains(&last) => (low, f64::INFINITY, false),
            () => {
                let about =
                    ["about", "around", "approximately", "roughly", "nearly", "almost", "some", "~", "ca"];
                (low, high, about.contains(&last))
            }
        }
    }

    /// What is told by words, whatever numbers they stand beside.
    fn words(&mut self) {
        for at in 0..self.tokens.len() {
            self.rhythm(at);
            if !self.is(at, Kind::Word) {
                continue;
            }
            self.facts.negated |= self.negates(at);
            let token = &self.tokens[at];
            let word = stem(&token.lower);
            if holds(FUNCTION_WORDS, &token.lower) || is_negation(&token.lower) || word.len() < 2 {
                continue;
            }
            let counts =
                value(token).is_some() || multiple(token).is_some() || Unit::named(&token.lower).is_some();
            let known = holds(ORDINALS, &token.lower) || often(&token.lower).is_some();
            if counts || known || self.month(at).is_some() {
                continue;
            }
            if at > 0 && token.text.starts_with(char::is_uppercase) {
                self.facts.names.insert(word.to_owned());
            }
            self.facts.first.get_or_insert_with(|| word.to_owned());
            self.facts.words.insert(word.to_owned());
        }
    }

    fn negates(&self, at: usize) -> bool {
        let harmless = match self.lower(at) {
            "not" => {
                ["only", "just", "hesitate", "more", "less"].contains(&self.lower(at + 1))
                    || (at > 0 && self.lower(at - 1) == "or")
            }
            "no" => ["more", "less", "fewer", "later", "earlier", "doubt", "matter", "."]
                .contains(&self.lower(at + 1)),
            "without" => ["delay", "doubt"].contains(&self.lower(at + 1)),
            _ => false,
        };
        is_negation(self.lower(at)) && !harmless
    }

    fn rhythm(&mut self, at: usize) {
        let by = at.checked_sub(1).is_some_and(|before| {
            let told = ["per", "each", "every", "/"].contains(&self.lower(before));
            // "5 mg a day", "twice a day", but not "for a day".
            let after = before.checked_sub(1).map_or("", |at| self.lower(at));
            told || (self.lower(before) == "a"
                && (Unit::named(after).is_some() || holds(" once twice ", after)))
        });
        let every = ["hour", "day", "week", "month", "year"].into_iter().find(|unit| *unit == self.lower(at));
        self.facts.rhythms.extend(often(self.lower(at)).or(every.filter(|_| by)));
    }
}

/// What "daily" and the like stand for.
fn often(word: &str) -> Option<&'static str> {
    match word {
        "hourly" => Some("hour"),
        "daily" => Some("day"),
        "weekly" => Some("week"),
        "monthly" => Some("month"),
        "yearly" | "annually" => Some("year"),
        _ => None,
    }
}

fn is_negation(word: &str) -> bool {
    let words = ["not", "no", "never", "none", "nor", "neither", "nobody", "nothing", "without", "cannot"];
    words.contains(&word) || word.ends_with("n't")
}

/// Whether this can be the name of one of a sort: "2", "B", "IV", "IIIA".
fn names_one(token: &Token) -> bool {
    let numeral = token.text.trim_end_matches(['A', 'B', 'C', 'D']);
    let roman =
        token.text.len() <= numeral.len() + 1 && numeral.chars().all(|c| matches!(c, 'I' | 'V' | 'X'));
    let letter = token.text.len() == 1 && token.text.chars().all(|c| c.is_ascii_uppercase());
    token.kind == Kind::Number || (token.kind == Kind::Word && (roman || letter))
}

fn stem(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).unwrap_or(word)
}
