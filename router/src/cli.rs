//! The terminal as a client of a running router.

mod answer;
mod ask;
mod explain;
mod print;

use std::io::{self, Read};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use proto::{
    Endpoint,
    wire::{self, router_service_client::RouterServiceClient},
};
use tonic::transport::Channel;

pub use ask::{Asked, ask, route};
pub use explain::{Explaining, explain};
pub(crate) use print::short;

/// A question for a running router.
#[derive(Debug, Args)]
pub struct Asking {
    /// The question; `-` reads it from standard input, so that it stands in no list of processes.
    question: String,
    /// What you asked before it, so that a follow-up finds its way; repeat it, the oldest first.
    #[arg(long, value_name = "TEXT")]
    after: Vec<String>,
    /// The router, as http://host:port.
    #[arg(long, env = "CONSILIUM_ROUTER", default_value = "http://127.0.0.1:8080")]
    router: String,
    /// Ask this specialist; repeat it to choose among several.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Do not ask this specialist; repeat it for several.
    #[arg(long, value_name = "ID")]
    exclude: Vec<String>,
    /// Ask at most so many specialists, those counted that are asked because another failed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_specialists: Option<u32>,
    /// Agree that this specialist sees the question, where its card asks for consent; repeat it for
    /// several.
    #[arg(long, value_name = "ID")]
    consent: Vec<String>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
}

impl Asking {
    fn turns(&self) -> Result<Vec<wire::Turn>> {
        let mut text = self.question.clone();
        if text == "-" {
            text.clear();
            io::stdin().read_to_string(&mut text).context("cannot read the question")?;
        }
        let texts = self.after.iter().map(String::as_str).chain([text.trim_end()]);
        Ok(texts.map(|text| wire::Turn { role: wire::Role::User.into(), text: text.to_owned() }).collect())
    }

    fn options(&self) -> wire::AskOptions {
        wire::AskOptions {
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            specialists_max: self.max_specialists.unwrap_or_default(),
            consent: self.consent.clone(),
        }
    }

    async fn connect(&self) -> Result<RouterServiceClient<Channel>> {
        let endpoint = Endpoint::parse("--router", &self.router)?;
        let channel = Channel::builder(endpoint.uri().clone()).connect().await;
        let channel = channel.ok().with_context(|| {
            format!("no router at {endpoint}: start it with `router serve`, or name another with --router")
        })?;
        Ok(RouterServiceClient::new(channel))
    }
}
