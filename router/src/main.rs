//! `router`: the front end, and the terminal as its client.

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};
use embedding::Engine;
use router::{app::App, calibrate, cli, config::Config, edge, key, learn, replay};
use serve::{Tasks, telemetry::LogFormat};

/// Routes each question to the specialists whose domain it falls in, and merges what they say.
#[derive(Parser)]
#[command(name = "router", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve: gRPC, the OpenAI-compatible interface, health and metrics on one port.
    Serve(Serve),
    /// Ask a running router; prints who was considered, the answer as it comes, and its sources.
    Ask(cli::Asked),
    /// Show whom a running router would ask, and why; nobody is asked.
    Route(cli::Asking),
    /// Tell in words why a running router would ask whom it would ask; nobody is asked. `-o json` keeps all
    /// that `router replay` needs.
    Explain(cli::Explaining),
    /// Derive a decision again that `router explain -o json` printed, and say "same" or what differs.
    Replay(replay::Replaying),
    /// Make the router's key; a router without one makes its own when it starts.
    Keygen(key::Keyed),
    /// Print the trust file of the router: the keys by which its receipts and logs are checked.
    Trust(key::Keyed),
    /// Fit the numbers that routing follows to the registered specialists, on questions with known answers.
    Calibrate(calibrate::Calibrating),
    /// Learn from readers' thumbs whom to prefer, within bounds; shows it, and with `--apply` writes it.
    Learn(learn::Learning),
}

#[derive(clap::Args)]
struct Serve {
    /// Settings; every one has a default.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address to listen on, host:port, in place of the settings'.
    #[arg(long)]
    listen: Option<String>,
    /// Folder of the encoder's weights, in place of the settings'.
    #[arg(long)]
    model: Option<PathBuf>,
    /// What does the encoder's arithmetic, candle or packed; the fastest that runs here where absent.
    #[arg(long)]
    engine: Option<Engine>,
    /// Folder of the database, in place of the settings'.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Dial specialists at private, link-local and reserved addresses too.
    #[arg(long)]
    allow_private: bool,
    /// Start only if every rule that would be in force is listed in the registry log already.
    #[arg(long)]
    check_policy: bool,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve(args).await.map(|()| ExitCode::SUCCESS),
        Command::Ask(asking) => cli::ask(&asking).await.map(|()| ExitCode::SUCCESS),
        Command::Route(asking) => cli::route(&asking).await.map(|()| ExitCode::SUCCESS),
        Command::Explain(explaining) => cli::explain(&explaining).await.map(|()| ExitCode::SUCCESS),
        Command::Replay(replaying) => replay::run(&replaying).await,
        Command::Keygen(keyed) => key::keygen(&keyed).map(|()| ExitCode::SUCCESS),
        Command::Trust(keyed) => key::trust(&keyed).map(|()| ExitCode::SUCCESS),
        Command::Calibrate(calibrating) => calibrate::run(&calibrating).await.map(|()| ExitCode::SUCCESS),
        Command::Learn(learning) => learn::run(&learning).await.map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        // Whoever reads the output has had enough.
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the person at the terminal is told here, once")]
            {
                eprintln!("router: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn serve(args: Serve) -> Result<()> {
    serve::telemetry::init(args.log_format);
    let mut config: Config = args.config.as_deref().map(serve::config::load).transpose()?.unwrap_or_default();
    config.listen = args.listen.unwrap_or(config.listen);
    config.model = args.model.unwrap_or(config.model);
    config.engine = args.engine;
    config.data = args.data.unwrap_or(config.data);
    config.dispatch.allow_private |= args.allow_private;
    config.check_policy = args.check_policy;

    let listener = serve::listen(&config.listen).await?;
    let address = listener.local_addr()?;
    let tasks = Tasks::new(Duration::from_millis(config.limits.grace_ms));
    let app = App::build(&config, address.ip(), &tasks).await?;
    edge::spawn(app.clone(), listener, config.limits.request_bytes_max, &tasks).await?;
    let stopped = serve::signal();
    #[expect(clippy::print_stdout, reason = "whoever started the process reads the address here")]
    {
        println!("listening on http://{address}");
    }
    stopped.await?;
    tasks.shutdown().await;
    app.close().await;
    Ok(())
}
