//! `router.toml`. Every setting has a default, so the file may be absent.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use audit::Vkey;
use embedding::Engine;
use proto::{config::EncoderConfig, prototypes::PROTOTYPES_MAX};
use serde::Deserialize;

use crate::{dispatch, fleet, route::Policy};

/// All settings of a router.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The router's name, in receipts and logs: 1 to 120 characters like a host's. Never changed once there are
    /// receipts.
    pub name: String,
    /// Keys of those who watch the router's logs, as `audit keygen` prints them; their cosignatures are collected.
    pub witnesses: Vec<Vkey>,
    /// Address of everything that the router serves, `host:port`.
    pub listen: String,
    /// Folder of the database.
    pub data: PathBuf,
    /// Days that a conversation of the page is kept after its last question: 1 to 3650.
    pub retention_days: u32,
    /// What turns questions into vectors.
    pub encoder: EncoderConfig,
    /// Folder of the encoder's weights.
    pub model: PathBuf,
    /// What does the encoder's arithmetic; absent: the fastest that runs here. Only the command line
    /// names it, to compare.
    #[serde(skip)]
    pub engine: Option<Engine>,
    /// Whether to start only with rules that the registry log lists already. Only the command line says so.
    #[serde(skip)]
    pub check_policy: bool,
    /// How questions are routed.
    pub route: Policy,
    /// How specialists are asked.
    pub dispatch: dispatch::Limits,
    /// How the fleet is looked after.
    pub fleet: fleet::Limits,
    /// What clients may ask of the router.
    pub limits: Limits,
}

/// What clients may ask of the router.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Questions under way at once; more are refused at once.
    pub in_flight_max: usize,
    /// Bytes of one request, the whole conversation included.
    pub request_bytes_max: usize,
    /// Milliseconds for one answer, from the question's arrival to its last word.
    pub answer_ms: u64,
    /// Milliseconds that answers under way may take when the router stops.
    pub grace_ms: u64,
}

impl Config {
    /// The settings in the file at `path`, or the defaults, for a command over a router's database, which must be
    /// there: in the folder `data`, or in the settings'.
    pub(crate) fn offline(path: Option<&Path>, data: Option<&Path>) -> Result<Self> {
        let mut config: Self = path.map(serve::config::load).transpose()?.unwrap_or_default();
        config.data = data.map_or(config.data, Path::to_owned);
        config.check().map_err(anyhow::Error::msg)?;
        let database = config.database();
        let named = database.display();
        ensure!(database.exists(), "{named} does not exist: name the router's folder with --data");
        Ok(config)
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("router.db")
    }

    /// Whether every number is in its range; if not, which is not.
    pub fn check(&self) -> Result<(), String> {
        let Self {
            name,
            witnesses: _,
            listen: _,
            data: _,
            retention_days,
            encoder: _,
            model: _,
            engine: _,
            check_policy: _,
            route,
            dispatch,
            fleet,
            limits,
        } = self;
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let limits = [
            ("fleet.specialists_max", count(fleet.specialists_max)),
            ("fleet.prototypes_max", count(fleet.prototypes_max)),
            ("fleet.look_ms", fleet.look_ms),
            ("fleet.refresh_ms", fleet.refresh_ms),
            ("limits.in_flight_max", count(limits.in_flight_max)),
            ("limits.request_bytes_max", count(limits.request_bytes_max)),
            ("limits.answer_ms", limits.answer_ms),
        ];
        let host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        if !(1..=120).contains(&name.len()) || !name.chars().all(host) {
            return Err("name must be 1 to 120 lower-case letters, digits, dots and hyphens".to_owned());
        }
        if let Some((name, _)) = limits.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} must be at least 1"));
        }
        if !(1..=3_650).contains(retention_days) {
            return Err("retention_days must be 1 to 3650".to_owned());
        }
        if fleet.prototypes_max > PROTOTYPES_MAX {
            return Err(format!("fleet.prototypes_max must be at most {PROTOTYPES_MAX}"));
        }
        dispatch.check()?;
        route.check().map_err(str::to_owned)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "consilium.local".to_owned(),
            witnesses: Vec::new(),
            listen: "127.0.0.1:8080".to_owned(),
            data: PathBuf::from(".consilium"),
            retention_days: 30,
            encoder: EncoderConfig::default(),
            model: PathBuf::from("models/all-MiniLM-L6-v2"),
            engine: None,
            check_policy: false,
            route: Policy::default(),
            dispatch: dispatch::Limits::default(),
            fleet: fleet::Limits::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight_max: 256, request_bytes_max: 1 << 20, answer_ms: 120_000, grace_ms: 10_000 }
    }
}
