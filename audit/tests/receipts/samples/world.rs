//! A router, its registry and the institutions in it.

use audit::{Kind, SecretKey, merkle::Tree, signed, transcript::passage_bytes};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use prost::Message as _;
use proto::{
    PublishedCard,
    wire::{Card, Passage, RegistryChange, RegistryEntry, Succession},
};

const WORDS: [&str; 16] = [
    "Mars",
    "is",
    "rötlich",
    "die",
    "月",
    "не",
    "twice",
    "a",
    "day",
    "👩‍🚀",
    "e\u{301}",
    "\"so\"",
    "50 mg",
    "\\",
    "<b>",
    "warm",
];

pub(crate) struct World {
    pub(crate) rng: fastrand::Rng,
    pub(crate) name: String,
    pub(crate) router: SecretKey,
    pub(crate) witness: SecretKey,
    /// The witness signs every checkpoint.
    pub(crate) witnessed: bool,
    pub(crate) specialists: Vec<Specialist>,
    /// The registry's log.
    pub(crate) entries: Vec<Vec<u8>>,
}

pub(crate) struct Specialist {
    pub(crate) id: String,
    pub(crate) key: Option<SecretKey>,
    pub(crate) corpus: Vec<Passage>,
    pub(crate) tree: Tree,
    /// The card that the router knows, and where it is registered.
    pub(crate) card: PublishedCard,
    pub(crate) entry: usize,
    /// A later one.
    pub(crate) newer: Option<(PublishedCard, usize)>,
}

/// The key with these bytes.
pub(crate) fn secret(seed: [u8; 32]) -> SecretKey {
    let pkcs8 = [hex::decode("302e020100300506032b657004220420").unwrap(), seed.to_vec()].concat();
    let pem = BASE64_STANDARD.encode(pkcs8);
    SecretKey::read("a seed", &format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"))
        .unwrap()
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut key = || secret(std::array::from_fn(|_| rng.u8(..)));
        let (router, witness) = (key(), key());
        let mut world = Self {
            name: "consilium.example".into(),
            router,
            witness,
            witnessed: rng.bool(),
            specialists: Vec::new(),
            entries: Vec::new(),
            rng,
        };
        world.policy();
        for at in 0..world.rng.usize(1..5) {
            let specialist = world.specialist(at);
            world.specialists.push(specialist);
        }
        // Whatever is registered behind this point is no candidate yet.
        for at in 0..world.specialists.len() {
            if world.rng.u8(..) < 80 {
                world.update(at);
            }
        }
        world.policy();
        world
    }

    pub(crate) fn key(&mut self) -> SecretKey {
        secret(std::array::from_fn(|_| self.rng.u8(..)))
    }

    pub(crate) fn sentence(&mut self) -> String {
        let count = self.rng.usize(1..9);
        let words: Vec<&str> = (0..count).map(|_| WORDS[self.rng.usize(..WORDS.len())]).collect();
        format!("{}.", words.join(" "))
    }

    fn policy(&mut self) {
        let entry = RegistryEntry {
            time_s: 1_763_000_000,
            change: RegistryChange::Policy.into(),
            content_sha256: vec![self.rng.u8(..); 32],
            ..RegistryEntry::default()
        };
        self.entries.push(entry.encode_to_vec());
    }

    fn specialist(&mut self, at: usize) -> Specialist {
        let (id, signs) = (format!("domain-{at}"), self.rng.u8(..) < 200);
        let key = signs.then(|| self.key());
        let corpus: Vec<Passage> = (0..self.rng.usize(1..12)).map(|nth| self.passage(nth)).collect();
        let mut tree = Tree::default();
        for passage in &corpus {
            tree.push(&passage_bytes(passage)).unwrap();
        }
        let rooted = self.rng.u8(..) < 220;
        let card = Card {
            specialist_id: id.clone(),
            title: format!("Domain {at}"),
            institution: format!("Institute {}", self.sentence()),
            description: "All of it.".into(),
            license: "CC0-1.0".into(),
            public_endpoint: "http://127.0.0.1:1".into(),
            generator: "extractive".into(),
            revision: "1".into(),
            passage_count: corpus.len() as u64,
            asks_consent: self.rng.bool(),
            title_share: 0.3,
            history_turns_max: self.rng.u32(0..3),
            public_key: key.as_ref().map(|key| key.public().as_bytes().to_vec()).unwrap_or_default(),
            weights_sha256: vec![self.rng.u8(..); 32],
            data_sha256: vec![self.rng.u8(..); 32],
            passages_root: if rooted { tree.root().unwrap().as_bytes().to_vec() } else { Vec::new() },
            ..Card::default()
        };
        let card = PublishedCard::publish(&card).unwrap();
        let entry = self.register(RegistryChange::Admitted, &card, key.as_ref(), None);
        Specialist { id, key, corpus, tree, card, entry, newer: None }
    }

    fn passage(&mut self, nth: usize) -> Passage {
        Passage {
            passage_id: format!("p{nth}"),
            title: self.sentence(),
            text: self.sentence(),
            similarity: 0.5,
            page: self.rng.u32(0..3),
            ..Passage::default()
        }
    }

    /// Registers another revision of a card.
    pub(crate) fn update(&mut self, at: usize) {
        let one = &self.specialists[at];
        let key = one.key.clone();
        let mut card = Card::decode(one.card.bytes()).unwrap();
        card.revision = "2".into();
        let card = PublishedCard::publish(&card).unwrap();
        let entry = self.register(RegistryChange::Updated, &card, key.as_ref(), None);
        self.specialists[at].newer = Some((card, entry));
    }

    /// Registers a revision of a card with another key, which the old one appoints; the new key.
    pub(crate) fn rotate(&mut self, at: usize) -> SecretKey {
        let (new, one) = (self.key(), &self.specialists[at]);
        let mut card = Card::decode(one.card.bytes()).unwrap();
        let old = one.key.clone().unwrap();
        let succession = Succession {
            specialist_id: one.id.clone(),
            old_public_key: card.public_key.clone(),
            new_public_key: new.public().as_bytes().to_vec(),
        };
        card.public_key.clone_from(&succession.new_public_key);
        let card = PublishedCard::publish(&card).unwrap();
        let entry = self.register(RegistryChange::Rotated, &card, Some(&new), Some((&old, succession)));
        self.specialists[at].newer = Some((card, entry));
        new
    }

    fn register(
        &mut self,
        change: RegistryChange,
        card: &PublishedCard,
        key: Option<&SecretKey>,
        succession: Option<(&SecretKey, Succession)>,
    ) -> usize {
        let sign = |key| signed::signature(key, Kind::Card, card.bytes()).to_vec();
        let entry = RegistryEntry {
            time_s: 1_763_000_000 + self.entries.len() as u64,
            change: change.into(),
            specialist_id: card.card().id.to_string(),
            content_sha256: card.digest().as_bytes().to_vec(),
            public_key: card.card().public_key.map(|key| key.to_vec()).unwrap_or_default(),
            signature: key.map(sign).unwrap_or_default(),
            successions: succession
                .map(|(old, says)| signed::sign(old, Kind::Succession, says.encode_to_vec()))
                .into_iter()
                .collect(),
        };
        self.entries.push(entry.encode_to_vec());
        self.entries.len() - 1
    }
}
