//! Amounts: numbers with their units, as far as they can be compared.

use super::scan::{Kind, Token};

/// Amounts that were written in different units may differ by so much and be the same: a share.
const ROUNDING: f64 = 0.02;

/// What "about" may leave open: a share.
const ABOUT: f64 = 0.1;

/// A number or a range, and what it counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// As written.
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) unit: Unit,
    /// "about", "nearly".
    pub(super) about: bool,
}

/// What a number counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    /// Units of one kind can stand for each other by mistake; empty for things that are counted.
    kind: &'static str,
    /// What can be compared as amounts, once `scale` is taken into account.
    base: String,
    scale: f64,
}

/// Kind, base, how much of the base it is, and its names.
type Row = (&'static str, &'static str, f64, &'static [&'static str]);

const UNITS: [Row; 32] = [
    ("dose", "g", 1e-6, &["µg", "μg", "mcg", "ug", "microgram", "micrograms"]),
    ("dose", "g", 1e-3, &["mg", "milligram", "milligrams"]),
    ("dose", "g", 1.0, &["g", "gram", "grams"]),
    ("dose", "g", 1e3, &["kg", "kilogram", "kilograms", "kilo", "kilos"]),
    ("dose", "l", 1e-3, &["ml", "millilitre", "millilitres", "milliliter", "milliliters"]),
    ("dose", "l", 0.1, &["dl"]),
    ("dose", "l", 1.0, &["l", "litre", "litres", "liter", "liters"]),
    ("dose", "iu", 1.0, &["iu", "unit", "units"]),
    ("dose", "mol", 1e-3, &["mmol"]),
    ("dose", "mol", 1e-6, &["µmol", "μmol"]),
    ("time", "second", 1.0, &["second", "seconds", "sec"]),
    ("time", "second", 60.0, &["minute", "minutes", "min"]),
    ("time", "second", 3_600.0, &["hour", "hours", "h", "hr", "hrs"]),
    ("time", "second", 86_400.0, &["day", "days"]),
    ("time", "second", 604_800.0, &["week", "weeks"]),
    ("time", "month", 1.0, &["month", "months"]),
    ("time", "month", 12.0, &["year", "years", "yr", "yrs"]),
    ("money", "euro", 1.0, &["euro", "euros", "eur", "€"]),
    ("money", "dollar", 1.0, &["dollar", "dollars", "usd", "$"]),
    ("money", "pound", 1.0, &["pound", "pounds", "gbp", "£"]),
    ("share", "percent", 1.0, &["percent", "%"]),
    ("length", "metre", 1e-3, &["mm", "millimetre", "millimetres", "millimeter", "millimeters"]),
    ("length", "metre", 1e-2, &["cm", "centimetre", "centimetres", "centimeter", "centimeters"]),
    ("length", "metre", 1.0, &["m", "metre", "metres", "meter", "meters"]),
    ("length", "metre", 1e3, &["km", "kilometre", "kilometres", "kilometer", "kilometers"]),
    ("length", "metre", 0.0254, &["inch", "inches"]),
    ("length", "metre", 0.3048, &["foot", "feet"]),
    ("length", "metre", 1_609.344, &["mile", "miles"]),
    ("temperature", "celsius", 1.0, &["celsius", "c"]),
    ("temperature", "fahrenheit", 1.0, &["fahrenheit", "f"]),
    ("energy", "calorie", 1.0, &["kcal"]),
    ("times", "times", 1.0, &["time", "times"]),
];

/// What doses are given by: its name, and how it is written.
const PER: [(&str, &[&str]); 4] = [
    ("/kg", &["kg", "kilogram", "kilo"]),
    ("/m2", &["m2", "m²"]),
    ("/l", &["l", "litre", "liter"]),
    ("/ml", &["ml", "millilitre", "milliliter"]),
];

impl Unit {
    /// What has no unit.
    pub(super) fn none() -> Self {
        Self { kind: "", base: String::new(), scale: 1.0 }
    }

    /// Things of this name.
    pub(super) fn things(name: &str) -> Self {
        Self { base: format!("{name} (counted)"), ..Self::none() }
    }

    /// "once", "twice".
    pub(super) fn times() -> Self {
        Self { kind: "times", base: "times".to_owned(), scale: 1.0 }
    }

    /// The unit that `name`, in lower case, stands for.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (kind, base, scale, _) = UNITS.iter().find(|(.., names)| names.contains(&name))?;
        Some(Self { kind, base: (*base).to_owned(), scale: *scale })
    }

    /// The unit at the beginning of `tokens`, and of how many of them it consists.
    pub(super) fn read(tokens: &[Token]) -> Option<(Self, usize)> {
        let lower = |at: usize| tokens.get(at).map(|token| token.lower.as_str());
        // "5-year", "38 °C", "38 degrees Celsius".
        let mut length = match lower(0)? {
            "-" if tokens[0].glued => 1,
            "°" | "degree" | "degrees" => 1,
            _ => 0,
        };
        if (lower(length), lower(length + 1)) == (Some("per"), Some("cent")) {
            return Some((Self::named("percent")?, length + 2));
        }
        let mut unit = Self::named(lower(length)?)?;
        length += 1;
        if unit.kind == "dose" && matches!(lower(length), Some("/" | "per")) {
            let by = lower(length + 1).unwrap_or_default();
            if let Some((name, _)) = PER.iter().find(|(_, names)| names.contains(&by)) {
                unit.base.push_str(name);
                length += 2;
            }
        }
        Some((unit, length))
    }

    pub(super) fn is_none(&self) -> bool {
        self.base.is_empty()
    }

    /// `value` of this unit, in a unit that all of its kind can be compared in.
    fn amount(&self, value: f64) -> f64 {
        if self.base == "fahrenheit" { (value - 32.0) / 1.8 } else { value * self.scale }
    }

    fn base(&self) -> &str {
        if self.base == "fahrenheit" { "celsius" } else { &self.base }
    }
}

impl Quantity {
    /// Whether both count the same.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        self.unit.base() == other.unit.base()
    }

    /// Whether both can be true of one thing.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        if !self.is_of_the_same(other) {
            return false;
        }
        let tolerance = if self.about || other.about {
            ABOUT
        } else if self.unit == other.unit {
            1e-9
        } else {
            ROUNDING
        };
        let [(low, high), (others_low, others_high)] = [self, other].map(Self::bounds);
        // Two bounds that are open are the same as well.
        let close = |a: f64, b: f64| (a - b).abs() <= tolerance * a.abs().max(b.abs());
        let same =
            |a: f64, b: f64| a.total_cmp(&b).is_eq() || (a.is_finite() && b.is_finite() && close(a, b));
        let (lows, highs) = (same(low, others_low), same(high, others_high));
        let holds = |low: f64, high: f64, x: f64| low <= x && x <= high;
        let (point, others_point) = (same(low, high), same(others_low, others_high));
        let open = [low, high, others_low, others_high].into_iter().any(f64::is_infinite);
        (lows && highs)
            || (open && ((lows && low.is_finite()) || (highs && high.is_finite())))
            || (point && holds(others_low, others_high, low))
            || (others_point && holds(low, high, others_low))
    }

    /// Whether it is the same number, of another unit of the same kind.
    pub(super) fn differs_in_unit(&self, other: &Self) -> bool {
        let same = self.low.total_cmp(&other.low).is_eq() && self.high.total_cmp(&other.high).is_eq();
        let of_a_kind = self.unit.kind == other.unit.kind && !self.unit.kind.is_empty();
        same && of_a_kind && self.unit != other.unit && !self.agrees(other)
    }

    fn bounds(&self) -> (f64, f64) {
        (self.unit.amount(self.low), self.unit.amount(self.high))
    }
}

/// The value of a number as written: "1,000", "3.5", "3,5" or "three"; `None` for a date with points.
pub(super) fn value(token: &Token) -> Option<f64> {
    match token.kind {
        Kind::Number => {
            let text = token.text;
            let thousands =
                text.split(',').skip(1).all(|group| group.split('.').next().map(str::len) == Some(3));
            let plain = if thousands { text.replace(',', "") } else { text.replace(',', ".") };
            plain.parse().ok()
        }
        Kind::Word => {
            let names = [
                "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
                "twelve",
            ];
            let at = names.iter().position(|name| *name == token.lower)?;
            u8::try_from(at + 1).ok().map(f64::from)
        }
        Kind::Mark => None,
    }
}

/// What a word after a number multiplies it by.
pub(super) fn multiple(token: &Token) -> Option<f64> {
    match token.lower.as_str() {
        "hundred" => Some(1e2),
        "thousand" => Some(1e3),
        "million" => Some(1e6),
        "billion" => Some(1e9),
        _ => None,
    }
}
