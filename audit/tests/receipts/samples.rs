//! Receipts as a router makes them, from a seed: a small world of institutions, a plan of what is asked and
//! said in it, the receipt that follows from the plan, and its bundle. Each step can be tampered with.

pub(crate) mod made;
pub(crate) mod world;

use audit::{
    Bundle, Salt, SecretKey,
    bundle::{Institution, leaf},
    checkpoint::{Checkpoint, cosign},
    merkle::Tree,
    note::{Algorithm, Vkey},
    proof::Proof,
};
use proto::wire::{
    AskOptions, AskRequest, CandidateStatus, HistoryReason, Passage, Role, Statement, Turn, Vouching,
};

pub(crate) use self::{
    made::Made,
    world::{Specialist, World},
};

/// What is asked and said, before anything is signed.
pub(crate) struct Plan {
    pub(crate) world: World,
    pub(crate) request_id: String,
    pub(crate) salt: Salt,
    pub(crate) ask: AskRequest,
    pub(crate) history: HistoryReason,
    pub(crate) calls: Vec<Call>,
    /// How far the registry had grown.
    pub(crate) state: u64,
    /// The opening is deleted afterwards.
    pub(crate) closed: bool,
    /// How many receipts stand before this one in the log, and how many behind.
    pub(crate) others: (u64, u64),
}

/// Words, and the passage and the range in it that they cite.
pub(crate) type Words = (String, Option<(usize, u32, u32)>);

/// A call.
pub(crate) struct Call {
    pub(crate) who: usize,
    /// `Receipt.request_id`, unless somebody replays.
    pub(crate) request_id: String,
    pub(crate) turns: Vec<Turn>,
    /// Places in the specialist's corpus.
    pub(crate) passages: Vec<usize>,
    pub(crate) words: Vec<Words>,
    pub(crate) vouching: Vouching,
    /// It answers under its newer card.
    pub(crate) newer: bool,
    /// What signs in place of the specialist's own key.
    pub(crate) key: Option<SecretKey>,
    /// A passage that the corpus does not have stands in place of the first.
    pub(crate) foreign: Option<Passage>,
    /// What the specialist changes in its statement before it signs.
    pub(crate) twist: fn(&mut Statement),
}

/// The plan that follows from `seed`.
pub(crate) fn plan(seed: u64) -> Plan {
    let mut world = World::new(seed);
    let request_id = format!("{:032x}", world.rng.u128(..));
    let mut turns = Vec::new();
    for _ in 0..world.rng.usize(0..4) {
        turns.push(turn(Role::User, &world.sentence()));
        turns.push(turn(Role::Assistant, &world.sentence()));
    }
    turns.push(turn(Role::User, &world.sentence()));
    let follows = turns.len() > 1 && world.rng.bool();
    let consent = world.specialists.iter().map(|one| one.id.clone()).collect();
    let ask = AskRequest {
        turns,
        options: Some(AskOptions { consent, ..AskOptions::default() }),
        previous_request_id: String::new(),
    };
    let mut order: Vec<usize> = (0..world.specialists.len()).collect();
    world.rng.shuffle(&mut order);
    order.truncate(world.rng.usize(0..=order.len()));
    let calls = order.into_iter().map(|who| call(&mut world, who, &request_id, &ask, follows)).collect();
    // The router has not heard of what was registered anew.
    let newer =
        world.specialists.iter().filter_map(|one| one.newer.as_ref()).map(|(_, entry)| *entry as u64).min();
    let state = newer.unwrap_or(world.entries.len() as u64 - world.rng.u64(0..2));
    Plan {
        salt: Salt::from(std::array::from_fn(|_| world.rng.u8(..))),
        request_id,
        ask,
        history: if follows { HistoryReason::FollowsByWords } else { HistoryReason::ClearAlone },
        calls,
        state,
        closed: world.rng.u8(..) < 32,
        others: (world.rng.u64(0..20), world.rng.u64(0..20)),
        world,
    }
}

pub(crate) fn turn(role: Role, text: &str) -> Turn {
    Turn { role: role.into(), text: text.to_owned() }
}

fn call(world: &mut World, who: usize, request_id: &str, ask: &AskRequest, follows: bool) -> Call {
    let users: Vec<&Turn> = ask.turns.iter().filter(|turn| turn.role() == Role::User).collect();
    let earlier_max = if follows { world.specialists[who].card.card().history_turns_max } else { 0 };
    let shown = 1 + world.rng.usize(0..=earlier_max.min(users.len() - 1));
    let mut passages: Vec<usize> = (0..world.specialists[who].corpus.len()).collect();
    world.rng.shuffle(&mut passages);
    passages.truncate(world.rng.usize(1..=passages.len().min(6)));
    let signs = world.specialists[who].key.is_some();
    let vouching = match (world.rng.u8(..), signs) {
        (0..20, _) => Vouching::Unfinished,
        (20..30, _) => Vouching::Refused,
        (_, true) => Vouching::Signed,
        (_, false) => Vouching::Unsigned,
    };
    let no_answer = world.rng.u8(..) < 20;
    let count = if no_answer { 0 } else { world.rng.usize(1..6) };
    let words = (0..count).map(|_| words(world, who, &passages)).collect();
    Call {
        who,
        request_id: request_id.to_owned(),
        turns: users[users.len() - shown..].iter().map(|turn| (*turn).clone()).collect(),
        passages,
        words,
        vouching,
        newer: world.specialists[who].newer.is_some() && vouching == Vouching::Signed && world.rng.bool(),
        key: None,
        foreign: None,
        twist: |_| {},
    }
}

/// Words of an answer: a passage's own, or the specialist's.
fn words(world: &mut World, who: usize, passages: &[usize]) -> Words {
    if world.rng.u8(..) < 60 {
        return (format!(" {}", world.sentence()), None);
    }
    let nth = world.rng.usize(..passages.len());
    let text = &world.specialists[who].corpus[passages[nth]].text;
    let end = text.len() as u32;
    (text.clone(), Some((nth, 0, end)))
}

/// The status of a candidate that was called.
pub(crate) fn status(call: &Call) -> CandidateStatus {
    match call.vouching {
        Vouching::Unfinished | Vouching::Refused => CandidateStatus::Failed,
        _ if call.words.is_empty() => CandidateStatus::NoAnswer,
        _ => CandidateStatus::Answered,
    }
}

/// The receipt.json that the world's router gives for what is `made`, in a log with `others` before and behind.
pub(crate) fn seal(world: &World, made: &Made) -> Bundle {
    let signed = audit::signed::sign(&world.router, audit::Kind::Receipt, made.payload());
    let mut log = Tree::default();
    for other in 0..made.others.0 {
        log.push(&other.to_be_bytes()).unwrap();
    }
    log.push(&leaf(&made.leaf_salt, &signed, &made.receipt.router)).unwrap();
    for other in 0..made.others.1 {
        log.push(&other.to_le_bytes()).unwrap();
    }
    let proof = world.proof(&log, made.others.0, "receipts");
    let mut registry = Tree::default();
    for entry in &made.entries {
        registry.push(entry).unwrap();
    }
    let institution = |(card, at): &(Vec<u8>, usize)| Institution {
        card: audit::Base64(card.clone()),
        entry: audit::Base64(made.entries[*at].clone()),
        proof: world.proof(&registry, *at as u64, "registry"),
    };
    let institutions = made.institutions.iter().map(institution).collect();
    let keyid = world.vkey("receipts").id();
    Bundle::new(signed, keyid, &made.leaf_salt, proof, institutions, made.opening.clone()).unwrap()
}

impl World {
    /// The key of one of the router's logs.
    pub(crate) fn vkey(&self, log: &str) -> Vkey {
        Vkey::new(&format!("{}/{log}", self.name), Algorithm::Ed25519, self.router.public()).unwrap()
    }

    /// That leaf `index` stands in `tree`, seen by the world's witness.
    pub(crate) fn proof(&self, tree: &Tree, index: u64, log: &str) -> String {
        let origin = format!("{}/{log}", self.name);
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root().unwrap() };
        let mut note = checkpoint.sign(&self.router).unwrap();
        if self.witnessed {
            note.lines.push(cosign(&checkpoint, "witness.example", &self.witness, 1_763_000_000).unwrap());
        }
        Proof { index, path: tree.path(index).unwrap(), checkpoint: note.to_string() }.to_string()
    }

    /// The trust file of somebody who trusts this router.
    pub(crate) fn trust(&self) -> String {
        let witness = Vkey::new("witness.example", Algorithm::Cosignature, self.witness.public()).unwrap();
        let (receipts, registry, count) =
            (self.vkey("receipts"), self.vkey("registry"), u8::from(self.witnessed));
        format!(
            r#"{{"v":1,"receipts":"{receipts}","registry":"{registry}","witnesses":["{witness}"],"witnesses_min":{count}}}"#
        )
    }
}
