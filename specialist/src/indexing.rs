//! `specialist index`: the corpus is read and embedded into the cache, and nothing is served. What it
//! embedded is there for the next start, and for its own next run where it was interrupted.

use std::{future::Future, io, io::Write as _, pin::pin};

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::time::sleep;

use crate::{Error, Settings, corpus::Corpus, error::chain, library::Librarian, rescan, server};

/// What `specialist index` does and prints.
#[derive(Debug, Clone, Args)]
pub struct Indexing {
    /// Follow the corpus until SIGINT or SIGTERM, with a line for each change.
    #[arg(long)]
    watch: bool,
    /// Say how many files and passages there are of each format, and name all that is skipped and why.
    #[arg(long)]
    report: bool,
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
    /// For programs: one JSON object a line, always with the report.
    Json,
}

/// Indexes the corpus of `settings`, once or until `stop` ends.
pub async fn index(
    settings: Settings,
    indexing: Indexing,
    stop: impl Future<Output = io::Result<()>>,
) -> Result<(), Error> {
    let embedder = server::embedder(&settings).await?;
    let pause = rescan::pause(&settings);
    let mut librarian = Librarian::new(settings, embedder)?;
    if !indexing.watch {
        return indexing.look(&mut librarian).await;
    }
    let mut stop = pin!(stop);
    let mut reported = None;
    loop {
        let look = async {
            let looked = indexing.look(&mut librarian).await;
            // Where nothing could be read at the start, nobody would learn it from a line of the log.
            if reported.is_none() && looked.is_err() {
                return looked;
            }
            let problem = looked.err().map(|error| chain(&error)).unwrap_or_default();
            if !problem.is_empty() && reported.as_ref() != Some(&problem) {
                tracing::warn!(%problem, "corpus has changed, but cannot be indexed");
            }
            reported = Some(problem);
            sleep(pause).await;
            Ok(())
        };
        tokio::select! {
            stopped = &mut stop => return stopped.map_err(Error::from),
            looked = look => looked?,
        }
    }
}

impl Indexing {
    /// Embeds what has changed, if anything has, and says so.
    async fn look(&self, librarian: &mut Librarian) -> Result<(), Error> {
        let Some(corpus) = librarian.look().await? else { return Ok(()) };
        if self.report && self.output == Output::Text {
            print(&corpus.report.to_string())?;
        }
        let embedded = librarian.embed(&corpus).await?;
        print(&self.line(&corpus, embedded))?;
        Ok(())
    }

    fn line(&self, corpus: &Corpus, embedded: usize) -> String {
        let Corpus { passages, report, .. } = corpus;
        let (passages, files, skipped) = (passages.len(), report.files(), report.skipped.len());
        if self.output == Output::Json {
            return json!({ "passages": passages, "embedded": embedded, "report": report.json() })
                .to_string();
        }
        let hint = if skipped > 0 && !self.report { " (--report lists them)" } else { "" };
        format!(
            "{passages} passages from {files} files, {embedded} texts newly embedded, {skipped} skipped{hint}"
        )
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
