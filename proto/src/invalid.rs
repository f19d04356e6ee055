//! What is wrong with a message, and where.

/// A field that breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Path of the field, as the schema names it: `prototypes[3].vector`.
    pub field: String,
    /// How it breaks it.
    pub problem: Problem,
}

/// How a field breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It must be there.
    #[error("is missing")]
    Missing,
    /// It is outside its bounds.
    #[error("has {found} {unit}, where {min} to {max} are allowed")]
    OutOfBounds {
        /// What it has.
        found: usize,
        /// The least that it may have.
        min: usize,
        /// The most that it may have.
        max: usize,
        /// Of what.
        unit: &'static str,
    },
    /// It is not of the form that the schema asks for.
    #[error("{0}")]
    Malformed(String),
}

impl Invalid {
    /// The field `field` has `problem`.
    pub fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }

    /// The field `field` is absent.
    pub fn missing(field: impl Into<String>) -> Self {
        Self::new(field, Problem::Missing)
    }

    /// The field `field` is not of the form that `why` states.
    pub fn malformed(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(field, Problem::Malformed(why.into()))
    }

    /// The same problem, seen from the message that holds this one in `parent`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = format!("{parent}.{}", self.field);
        self
    }
}

/// `found` things of `unit`, if there are `min` to `max` of them.
pub(crate) fn bounded(
    field: &str,
    found: usize,
    (min, max): (usize, usize),
    unit: &'static str,
) -> Result<(), Invalid> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(Invalid::new(field, Problem::OutOfBounds { found, min, max, unit }))
    }
}

/// `text`, if it has a number of characters within `bounds`, none of them a control character but
/// line breaks and tabs (a card must not be able to steer the operator's terminal). Blank text
/// counts as none.
pub(crate) fn text(field: &str, text: String, bounds: (usize, usize)) -> Result<String, Invalid> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Invalid::malformed(field, "holds a control character"));
    }
    let found = if text.trim().is_empty() { 0 } else { text.chars().count() };
    bounded(field, found, bounds, "characters")?;
    Ok(text)
}

/// `text`, if it is a [`text`] on one line that leaves the direction of what stands beside it alone: a name must not
/// be able to turn its neighbours around.
pub(crate) fn name(field: &str, name: String, bounds: (usize, usize)) -> Result<String, Invalid> {
    let name = text(field, name, bounds)?;
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if name.chars().any(|c| c.is_control() || turns(c)) {
        let why = "holds a line break, a tab, or a character that turns the direction of text";
        return Err(Invalid::malformed(field, why));
    }
    Ok(name)
}

/// `text`, if it has a number of bytes within `bounds`; blank text counts as none.
pub(crate) fn bytes(field: &str, text: String, bounds: (usize, usize)) -> Result<String, Invalid> {
    let found = if text.trim().is_empty() { 0 } else { text.len() };
    bounded(field, found, bounds, "bytes")?;
    Ok(text)
}

/// `texts`, if there are at most `count_max` and each is within `bounds`.
pub(crate) fn texts(
    field: &str,
    texts: Vec<String>,
    count_max: usize,
    bounds: (usize, usize),
) -> Result<Vec<String>, Invalid> {
    bounded(field, texts.len(), (0, count_max), "entries")?;
    texts.into_iter().enumerate().map(|(at, entry)| text(&format!("{field}[{at}]"), entry, bounds)).collect()
}

/// `found`, if it lies between the two.
pub(crate) fn within(field: &str, found: f32, (low, high): (f32, f32)) -> Result<f32, Invalid> {
    if (low..=high).contains(&found) {
        Ok(found)
    } else {
        Err(Invalid::malformed(field, format!("is {found}, where {low} to {high} is allowed")))
    }
}
