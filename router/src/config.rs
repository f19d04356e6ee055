//! `router.toml`. Every setting has a default, so the file may be absent.

use std::path::PathBuf;

use proto::config::EncoderConfig;
use serde::Deserialize;

use crate::{dispatch, fleet, route::Policy};

/// All settings of a router.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of everything that the router serves, `host:port`.
    pub listen: String,
    /// Folder of the database.
    pub data: PathBuf,
    /// What turns questions into vectors.
    pub encoder: EncoderConfig,
    /// Folder of the encoder's weights.
    pub model: PathBuf,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data: PathBuf::from(".consilium"),
            encoder: EncoderConfig::default(),
            model: PathBuf::from("models/all-MiniLM-L6-v2"),
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
