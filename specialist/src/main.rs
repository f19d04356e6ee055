//! `specialist`: serves one institution's corpus to a federation, or says what it would serve.

use std::{
    env,
    io::{self, Write as _},
    panic,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use embedding::Engine;
use serve::telemetry::{self, LogFormat};
use specialist::{
    Server, Settings,
    card::export::{self, Export},
    config::Overrides,
    fit::Fitting,
    identity,
    indexing::Indexing,
    replay::{self, Replayed},
};

/// One institution's specialist: answers questions from its own corpus, and cites it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM.
    Serve(Serve),
    /// Read settings and corpus, and say what would be served.
    Check(Config),
    /// Read and embed the corpus, so that serving begins at once; an interrupted run goes on where it was.
    Index(Index),
    /// Print the card as it would be served, signed, or the corpus's manifest.
    Card(Card),
    /// Make the key with which it signs its card and its answers.
    Keygen(Keygen),
    /// Make the key that follows the one in the settings, and what leads routers from that one to it.
    Rotate(Rotate),
    /// Derive the answer in a receipt again: exits with 0 where it is the same, with 1 where it is another, and
    /// with 2 where that cannot be found out.
    Replay(Replay),
    /// Find the shares of title and words that suit the corpus, on questions with known passages.
    Fit(Fit),
}

#[derive(Args)]
struct Config {
    /// Settings of the specialist.
    #[arg(long, value_name = "FILE", default_value = "specialist.toml")]
    config: PathBuf,
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    embedding: Embedding,
    /// Listen here, whatever the settings say; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

#[derive(Args)]
struct Index {
    #[command(flatten)]
    embedding: Embedding,
    #[command(flatten)]
    indexing: Indexing,
}

#[derive(Args)]
struct Card {
    #[command(flatten)]
    config: Config,
    /// Folder of the encoder's weights.
    #[arg(long, value_name = "DIR", default_value = specialist::config::MODEL)]
    model: PathBuf,
    #[command(flatten)]
    export: Export,
}

#[derive(Args)]
struct Keygen {
    #[command(flatten)]
    config: Config,
    /// Where it goes, a new file; absent: where the settings say, or else beside them.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Rotate {
    #[command(flatten)]
    config: Config,
    /// Where it goes, a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
struct Replay {
    #[command(flatten)]
    embedding: Embedding,
    /// The receipt, as a router gives it.
    receipt: PathBuf,
}

#[derive(Args)]
struct Fit {
    #[command(flatten)]
    embedding: Embedding,
    #[command(flatten)]
    fitting: Fitting,
}

#[derive(Args)]
struct Embedding {
    #[command(flatten)]
    config: Config,
    /// Folder of the encoder's weights.
    #[arg(long, value_name = "DIR", default_value = specialist::config::MODEL)]
    model: PathBuf,
    /// What does the encoder's arithmetic, candle or packed; the fastest that runs here where absent.
    #[arg(long)]
    engine: Option<Engine>,
    /// Where embeddings are kept; `.consilium` beside the settings where absent.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, log_format } = Cli::parse();
    telemetry::init(log_format);
    // The message of a panic may quote the corpus.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(place, "a thread has panicked");
    }));
    let done = match command {
        Command::Serve(serve) => run(serve).await,
        Command::Check(config) => check(&config),
        Command::Index(Index { embedding, indexing }) => index(embedding, indexing).await,
        Command::Card(card) => show(card),
        Command::Keygen(keygen) => make_key(keygen),
        Command::Rotate(rotate) => replace_key(&rotate),
        Command::Replay(replay) => return derive(replay).await,
        Command::Fit(Fit { embedding, fitting }) => fit(embedding, &fitting).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints the answer of a command. Whoever closes the pipe has read enough.
fn say(answer: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{answer}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command goes to its user, not to a log")]
fn complain(error: &anyhow::Error) {
    eprintln!("specialist: {error:#}");
}

async fn derive(replay: Replay) -> ExitCode {
    let Replay { embedding, receipt } = replay;
    let replayed = async {
        let Replayed { same, report } = replay::replay(embedding.settings(None)?, &receipt).await?;
        say(&report)?;
        Ok(same)
    };
    match replayed.await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever started the process reads here where it listens")]
async fn run(serve: Serve) -> anyhow::Result<()> {
    let settings = serve.embedding.settings(serve.listen)?;
    let server = Server::start(settings).await?;
    let stopped = serve::signal();
    println!("listening on {}", server.url());
    server.run(stopped).await?;
    Ok(())
}

impl Config {
    fn settings(&self) -> Result<Settings, specialist::Error> {
        Settings::load(&self.config, Overrides { key: key(), ..Overrides::default() })
    }
}

impl Embedding {
    fn settings(self, listen: Option<String>) -> Result<Settings, specialist::Error> {
        let Self { config: Config { config }, model, engine, data } = self;
        Settings::load(&config, Overrides { listen, data, model: Some(model), engine, key: key() })
    }
}

async fn index(embedding: Embedding, indexing: Indexing) -> anyhow::Result<()> {
    specialist::indexing::index(embedding.settings(None)?, indexing, serve::signal()).await?;
    Ok(())
}

async fn fit(embedding: Embedding, fitting: &Fitting) -> anyhow::Result<()> {
    specialist::fit::fit(embedding.settings(None)?, fitting).await?;
    Ok(())
}

fn check(config: &Config) -> anyhow::Result<()> {
    let settings = config.settings()?;
    Ok(say(&settings.check_corpus()?)?)
}

fn show(card: Card) -> anyhow::Result<()> {
    let Card { config, model, export } = card;
    let overrides = Overrides { model: Some(model), key: key(), ..Overrides::default() };
    Ok(say(&export::export(&Settings::load(&config.config, overrides)?, export)?)?)
}

fn make_key(keygen: Keygen) -> anyhow::Result<()> {
    let Keygen { config: Config { config }, out } = keygen;
    Ok(say(&identity::keygen(&config, out)?)?)
}

fn replace_key(rotate: &Rotate) -> anyhow::Result<()> {
    let Settings { config, identity, .. } = rotate.config.settings()?;
    Ok(say(&identity::rotate(&rotate.config.config, &config, identity.as_ref(), &rotate.out)?)?)
}

/// The key, or the name of its file, as the environment has it.
fn key() -> Option<String> {
    env::var(identity::VARIABLE).ok().filter(|key| !key.is_empty())
}
