//! Conversations, and what the asker wishes.

use std::num::NonZeroUsize;

use crate::{
    Invalid, SpecialistId,
    invalid::{bounded, bytes},
    wire,
};

/// The most bytes that one turn may have.
pub const TURN_BYTES_MAX: usize = 65_536;

/// The most turns that a conversation may have.
pub const TURNS_MAX: usize = 64;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person who asks.
    User,
    /// The federation's answer.
    Assistant,
}

/// What one side said: 1 to 65,536 bytes, not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// What.
    pub text: String,
}

/// 1 to 64 turns, oldest first; the last is the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    turns: Vec<Turn>,
}

impl Conversation {
    /// Checks `turns`.
    pub fn new(mut turns: Vec<Turn>) -> Result<Self, Invalid> {
        bounded("turns", turns.len(), (1, TURNS_MAX), "entries")?;
        for (at, turn) in turns.iter_mut().enumerate() {
            let text = std::mem::take(&mut turn.text);
            turn.text = bytes(&format!("turns[{at}].text"), text, (1, TURN_BYTES_MAX))?;
        }
        match turns.last() {
            Some(Turn { role: Role::User, .. }) => Ok(Self { turns }),
            _ => Err(Invalid::malformed("turns", "must end with a turn of the user")),
        }
    }

    /// The turns, oldest first.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The last turn's text.
    pub fn question(&self) -> &str {
        self.turns.last().map_or("", |turn| &turn.text)
    }

    /// What the user said before the question, oldest first.
    pub fn earlier(&self) -> impl DoubleEndedIterator<Item = &str> {
        let turns = self.turns.split_last().map_or(&[][..], |(_, earlier)| earlier);
        turns.iter().filter(|turn| turn.role == Role::User).map(|turn| turn.text.as_str())
    }
}

impl From<&Conversation> for Vec<wire::Turn> {
    fn from(conversation: &Conversation) -> Self {
        let turn = |turn: &Turn| {
            let role = match turn.role {
                Role::User => wire::Role::User,
                Role::Assistant => wire::Role::Assistant,
            };
            wire::Turn { role: role.into(), text: turn.text.clone() }
        };
        conversation.turns.iter().map(turn).collect()
    }
}

impl TryFrom<Vec<wire::Turn>> for Conversation {
    type Error = Invalid;

    fn try_from(turns: Vec<wire::Turn>) -> Result<Self, Invalid> {
        let turns = turns.into_iter().enumerate().map(|(at, turn)| {
            let role = match turn.role() {
                wire::Role::User => Role::User,
                wire::Role::Assistant => Role::Assistant,
                wire::Role::Unspecified => return Err(Invalid::missing(format!("turns[{at}].role"))),
            };
            Ok(Turn { role, text: turn.text })
        });
        Self::new(turns.collect::<Result<_, _>>()?)
    }
}

/// What the asker wants of the routing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskOptions {
    /// Ask among these only; empty: among all. One alone is pinned: asked whatever its score.
    pub only: Vec<SpecialistId>,
    /// Never ask these.
    pub exclude: Vec<SpecialistId>,
    /// The asker agrees that these see the question, where their cards ask for consent.
    pub consent: Vec<SpecialistId>,
    /// Ask at most so many; the policy's own limit holds besides.
    pub specialists_max: Option<NonZeroUsize>,
}

impl TryFrom<Option<wire::AskOptions>> for AskOptions {
    type Error = Invalid;

    fn try_from(options: Option<wire::AskOptions>) -> Result<Self, Invalid> {
        let wire::AskOptions { only, exclude, specialists_max, consent } = options.unwrap_or_default();
        let ids = |field: &str, ids: Vec<String>| {
            bounded(field, ids.len(), (0, 64), "entries")?;
            let parse = |id: &String| id.parse::<SpecialistId>();
            ids.iter().map(parse).collect::<Result<Vec<_>, _>>().map_err(|invalid| invalid.within(field))
        };
        Ok(Self {
            only: ids("options.only", only)?,
            exclude: ids("options.exclude", exclude)?,
            consent: ids("options.consent", consent)?,
            specialists_max: NonZeroUsize::new(specialists_max as usize),
        })
    }
}

impl From<&AskOptions> for wire::AskOptions {
    fn from(options: &AskOptions) -> Self {
        let AskOptions { only, exclude, consent, specialists_max } = options;
        let ids = |ids: &[SpecialistId]| ids.iter().map(ToString::to_string).collect();
        let count = |count: NonZeroUsize| u32::try_from(count.get()).unwrap_or(u32::MAX);
        Self {
            only: ids(only),
            exclude: ids(exclude),
            consent: ids(consent),
            specialists_max: specialists_max.map_or(0, count),
        }
    }
}
