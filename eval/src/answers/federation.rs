//! All specialists and the router, started in this process and asked as a client asks them.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use embedding::Embedder;
use futures_util::StreamExt as _;
use proto::{AnswerEvent, Conversation, Role, Turn, config::SpecialistConfig};
use router::{
    ask::{Answering, AskError, Event, Reason},
    config::Config,
    merge::{Part, Source, Span},
};
use specialist::{
    Server, Settings,
    generator::{Generator, Question},
    library::{Librarian, Library},
};
use tempfile::TempDir;

use super::shares::Chosen;
use crate::{house::House, routing, specialists::Making};

/// How many passages a specialist may cite here.
const PASSAGES_MAX: usize = 8;

/// A router, and a specialist for each corpus.
pub(super) struct Federation {
    house: House,
    /// What each specialist searches, for comparisons that ask nobody.
    pub(super) libraries: BTreeMap<String, Libraries>,
    pub(super) generator: Generator,
    _data: TempDir,
}

/// One corpus, in two orders.
pub(super) struct Libraries {
    /// By meaning and words, with its shares.
    pub(super) mixed: Arc<Library>,
    /// By words alone.
    pub(super) words: Arc<Library>,
}

/// What came of a question.
pub(super) struct Told {
    /// How sure the router was that somebody covers it: 0 to 1.
    pub(super) confidence: f64,
    /// The two best candidates.
    pub(super) best: Vec<String>,
    /// How the answer ended; `None` where nobody could be had.
    pub(super) reason: Option<Reason>,
    pub(super) spans: Vec<Span>,
    pub(super) sources: Vec<Source>,
    /// From the question's arrival.
    pub(super) decided: Duration,
    pub(super) first_words: Option<Duration>,
    pub(super) end: Duration,
}

impl Told {
    /// The specialists' words.
    pub(super) fn words(&self) -> String {
        let theirs = self.spans.iter().filter(|span| span.specialist().is_some());
        theirs.map(|span| span.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// How the specialist of `config` makes answers.
pub(super) fn generator(config: &SpecialistConfig, embedder: &Embedder) -> Result<Generator> {
    Ok(specialist::server::generator(&config.generator, Some(embedder.clone()))?)
}

/// What the specialist of `settings` searches.
pub(super) async fn library(settings: Settings, embedder: &Embedder) -> Result<Libraries> {
    let mut by_words = settings.clone();
    by_words.config.lexical_share = 1.0;
    let collection = Librarian::new(settings.clone(), Some(embedder.clone()))?.collect().await?;
    let publish = |settings: &Settings| Library::publish(settings, "http://localhost:1", collection.clone());
    Ok(Libraries { mixed: Arc::new(publish(&settings)?), words: Arc::new(publish(&by_words)?) })
}

/// What `generator` says to `query` from `library`, and how long its first words take.
pub(super) async fn alone(
    generator: &Generator,
    library: &Arc<Library>,
    query: &str,
) -> Result<(String, Option<Duration>)> {
    let conversation = Conversation::new(vec![Turn { role: Role::User, text: query.to_owned() }])?;
    let question = Question { conversation, passages_max: PASSAGES_MAX };
    let mut events = generator.answer(library.clone(), question);
    let began = Instant::now();
    let (mut said, mut first_words) = (Vec::new(), None);
    while let Some(event) = events.next().await {
        if let AnswerEvent::Words(words) = event? {
            first_words.get_or_insert_with(|| began.elapsed());
            said.push(words.text);
        }
    }
    Ok((said.join(" "), first_words))
}

impl Federation {
    /// Starts the specialists of `corpora`, each with the shares that are `chosen` for the part `fold` of the
    /// questions, and registers them with a router of the shipped settings.
    pub(super) async fn start(
        making: &Making<'_>,
        corpora: &[PathBuf],
        chosen: &Chosen,
        fold: usize,
    ) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let config = Config { data: data.path().to_owned(), ..Config::default() };
        let house = House::start(making.embedder.clone(), &config).await?;
        let mut libraries = BTreeMap::new();
        for corpus in corpora {
            let name = routing::name(corpus);
            let mut settings = making.settings(&name, corpus, making.data)?;
            let shares = chosen.get(&name).context("a corpus without shares")?[fold];
            settings.config.title_share = shares.title;
            settings.config.lexical_share = shares.lexical;
            "127.0.0.1:0".clone_into(&mut settings.config.listen);
            libraries.insert(name.clone(), library(settings.clone(), making.embedder).await?);
            let server = Server::serve(settings, Some(making.embedder.clone())).await?;
            house.admit(server).await.with_context(|| format!("cannot register {name}"))?;
        }
        let some = making.settings("some", &corpora[0], making.data)?;
        let generator = generator(&some.config, making.embedder)?;
        Ok(Self { house, libraries, generator, _data: data })
    }

    /// Asks as a client does, and reads to the end.
    pub(super) async fn ask(&self, query: &str) -> Result<Told> {
        let began = Instant::now();
        let Answering { routed, events: answer, .. } = self.house.ask(query).await?;
        let mut answer = std::pin::pin!(answer);
        let candidates = routed.decision.candidates.iter();
        let mut told = Told {
            confidence: f64::from(routed.decision.confidence),
            best: candidates.take(2).map(|candidate| candidate.registration.id().to_string()).collect(),
            reason: None,
            spans: Vec::new(),
            sources: Vec::new(),
            decided: began.elapsed(),
            first_words: None,
            end: Duration::ZERO,
        };
        while let Some(event) = answer.next().await {
            match event {
                Ok(Event::Part(Part::Source(source))) => told.sources.push(source),
                Ok(Event::Part(Part::Span(span))) => told.spans.push(span),
                Ok(Event::Finish(finish)) => {
                    told.reason = Some(finish.reason);
                    told.first_words = finish.first_words;
                }
                Ok(Event::Part(Part::Agreement(_) | Part::Disagreement(_)))
                | Err(AskError::Unanswered(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        told.end = began.elapsed();
        Ok(told)
    }

    /// Has everybody stop, and waits for it.
    pub(super) async fn stop(self) {
        self.house.stop().await;
    }
}
