//! The composition root: every stage is built and joined here.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use embedding::{Embedder, Model};
use proto::{SpecialistId, config::EncoderConfig};
use registry::Snapshot;
use serve::Tasks;
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    calibrate,
    config::Config,
    conversations::{self, Conversations},
    dial::{Dialler, Policy as Dialling},
    dispatch::Dispatch,
    fleet::{self, Fleet},
    key,
    metrics::Metrics,
    policy::Policy,
    receipt::{Logs, Receipts},
    route::{Background, Calibration, Rules},
    trust::{self, Trust},
};

/// Everything that a question meets on its way.
pub struct App {
    /// Text to vectors.
    pub embedder: Embedder,
    /// Who is there.
    pub fleet: Arc<Fleet>,
    /// What routing follows.
    pub rules: Arc<Rules>,
    /// How far those who are probed are believed.
    pub trust: Arc<Trust>,
    /// How specialists are asked.
    pub dispatch: Arc<Dispatch>,
    /// The record of every turn.
    pub receipts: Arc<Receipts>,
    /// What people asked at the page, as long as it is kept.
    pub conversations: Arc<Conversations>,
    /// What operators see.
    pub metrics: Arc<Metrics>,
    /// The longest that an answer may take.
    pub answer_max: Duration,
    /// Room for questions under way.
    room: Arc<Semaphore>,
    store: Store,
}

impl App {
    /// Loads the encoder, opens the database and starts what looks after the fleet, for a router that
    /// listens on `listening`.
    pub async fn build(config: &Config, listening: IpAddr, tasks: &Tasks) -> Result<Arc<Self>> {
        config.check().map_err(anyhow::Error::msg)?;
        Self::with(start_encoder(config)?, config, listening, tasks).await
    }

    /// The same with an encoder that is loaded already; `config` is within its ranges.
    pub async fn with(
        embedder: Embedder,
        config: &Config,
        listening: IpAddr,
        tasks: &Tasks,
    ) -> Result<Arc<Self>> {
        let data = &config.data;
        std::fs::create_dir_all(data)
            .with_context(|| format!("cannot make the data folder {}", data.display()))?;
        let calibration = calibrate::load(data, embedder.space())?;
        let rules = Arc::new(rules(config, calibration, &embedder).await?);
        let store = Store::open(&config.database()).await?;
        let dialler = Dialler::new(Dialling::new(config.dispatch.allow_private, listening));
        let dispatch = Arc::new(Dispatch::new(config.dispatch.clone(), dialler));
        let opened = Fleet::open(
            store.clone(),
            embedder.clone(),
            dispatch.clone(),
            config.fleet.clone(),
            rules.clone(),
            config.name.clone(),
        );
        let fleet = Arc::new(opened.await?);
        let policy = Policy::new(&rules, &config.dispatch)?;
        adopt(&policy, &fleet, config.check_policy).await?;
        let (name, key) = (config.name.clone(), key::load(data, &store).await?);
        let logs = Logs::open(&data.join("log"), &name, &key, &config.witnesses, store.clone()).await?;
        let kept = (store.clone(), logs);
        let (receipts, writer) = Receipts::open(name, key, policy, rules.clone(), kept).await?;
        let room = Arc::new(Semaphore::new(config.limits.in_flight_max));
        let quiet = || quiet(tasks.stopping(), room.clone(), config.limits.in_flight_max);
        tasks.spawn("receipts", writer.run(quiet()));
        tasks.spawn("logs", receipts.logs().clone().follow(quiet()));
        let conversations = Arc::new(Conversations::open(store.clone(), config.retention_days).await?);
        tasks.spawn("conversations", conversations::sweep(conversations.clone(), tasks.stopping()));
        let (trust, claims) = Trust::new();
        tasks.spawn("trust", trust::check(trust.clone(), claims, embedder.clone(), tasks.stopping()));
        tasks.spawn("refresh", fleet::refresh(fleet.clone(), tasks.clone()));
        Ok(Arc::new(Self {
            metrics: Arc::new(Metrics::new(embedder.space())),
            embedder,
            fleet,
            rules,
            trust,
            dispatch,
            receipts,
            conversations,
            answer_max: Duration::from_millis(config.limits.answer_ms),
            room,
            store,
        }))
    }

    /// Those of `snapshot` that failed too often lately.
    pub fn ejected(&self, snapshot: &Snapshot) -> BTreeSet<SpecialistId> {
        let out = snapshot.members().filter(|member| self.dispatch.is_out(&member.endpoint));
        out.map(|member| member.id().clone()).collect()
    }

    /// Room for one question, held as long as its answer; `None`, at once, where there is none.
    pub fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// Closes the database, once nobody asks any more.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

/// Ends when the process is `stopping` and no answer is under way any more: each of them has a receipt to write.
async fn quiet(stopping: impl Future<Output = ()>, room: Arc<Semaphore>, answers_max: usize) {
    stopping.await;
    // The room is never closed, so this is only waited for.
    let _ = room.acquire_many(u32::try_from(answers_max).unwrap_or(u32::MAX)).await;
}

/// Has `policy` listed in the registry log; where that is to be `checked`, it has to stand there already.
async fn adopt(policy: &Policy, fleet: &Fleet, checked: bool) -> Result<()> {
    let text = policy.document().as_bytes();
    if checked {
        ensure!(
            fleet.lists_policy(text).await,
            "rules would be in force that the registry log does not list: `router serve` without --check-policy \
             lists them, and GET /v1/policy shows them"
        );
    }
    fleet.adopt_policy(text).await?;
    Ok(())
}

/// What `config` and `calibration` say, and where the background's questions lie.
pub(crate) async fn rules(config: &Config, calibration: Calibration, embedder: &Embedder) -> Result<Rules> {
    let vectors = embedder.embed_all(&Background::questions(), |_| {}).await;
    let background = Background::new(vectors.context("cannot embed the background questions")?);
    Ok(Rules { policy: config.route.clone(), calibration: Arc::new(calibration), background })
}

pub(crate) fn start_encoder(config: &Config) -> Result<Embedder> {
    let model = match config.encoder {
        EncoderConfig::Model => Model::load_with(&config.model, config.engine)?,
        EncoderConfig::Hashed => Model::hashed(),
        EncoderConfig::None => bail!("a router needs an encoder: encoder.kind must be model or hashed"),
    };
    let (embedder, _ends_with_its_handles) = Embedder::start(model)?;
    Ok(embedder)
}
