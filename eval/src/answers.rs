//! Measures answers: a whole federation is started in this process, a specialist for each corpus behind gRPC
//! and the router before them, and asked every question. What a specialist finds by depends on shares that
//! are fitted; a question is put to specialists whose shares were fitted to others. Beside the merged
//! answers stand those of the right specialist alone and of one index over all corpora, and trivial ones.

mod beside;
mod federation;
mod figures;
mod judge;
mod page;
mod shares;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, ensure};
use embedding::{Embedder, Model};

use self::{
    beside::{Beside, Central},
    federation::{Federation, Told},
    figures::{Figures, Setting},
    judge::{Judged, Texts},
};
use crate::{
    progress,
    record::Output,
    routing,
    specialists::{Making, Points, digests},
    texts::{self, Asked, NOBODYS},
    trial::{self, FOLDS},
};

/// Whom to ask, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Answers {
    /// Folder of .jsonl files, each the corpus of one specialist.
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
    /// Folder of .jsonl files whose lines have a `query`, a `kind`, as `domain` the name of a corpus or `none`,
    /// and as `gold_ids` the ids of the passages that answer it, where they are known.
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// Folder of the encoder's weights.
    #[arg(long, value_name = "DIR", default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Where embeddings of passages are kept, as `make fleet` keeps them.
    #[arg(long, value_name = "DIR", default_value = ".consilium/fleet")]
    data: PathBuf,
    /// File for a page of good and bad answers side by side, as Markdown.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Measures, and prints one table.
pub(crate) async fn run(answers: &Answers) -> Result<()> {
    let (figures, cases) = measure(answers, Model::load(&answers.model)?).await?;
    if let Some(path) = &answers.page {
        page::write(path, &cases)?;
    }
    answers.output.put(figures, Figures::table)
}

/// A question, what it was told, and what that is worth.
struct Case {
    asked: Asked,
    told: Told,
    judged: Judged,
    /// How far the best passage of the best candidate supports an answer: -0.8 to 1.
    support: f64,
    beside: Option<Beside>,
    /// The first of the passages that answer it.
    gold: Option<String>,
}

/// The questions of the federation's corpora and of nobody's.
fn questions(answers: &Answers, corpora: &[PathBuf]) -> Result<(Vec<Asked>, usize)> {
    let names: Vec<String> = corpora.iter().map(|path| routing::name(path)).collect();
    let all = texts::asked(&answers.queries)?;
    let total = all.len();
    let asked = all.into_iter().map(|asked| Asked { domain: routing::id(&asked.domain), ..asked });
    let asked: Vec<Asked> =
        asked.filter(|asked| names.contains(&asked.domain) || routing::is_nobodys(asked)).collect();
    ensure!(
        asked.iter().any(|asked| asked.own().is_some()),
        "no question belongs to a corpus: `domain` is to be the name of its file, or `{NOBODYS}`"
    );
    Ok((asked, total))
}

async fn measure(answers: &Answers, model: Model) -> Result<(Figures, Vec<Case>)> {
    let corpora = texts::jsonl(&answers.corpora)?;
    let (asked, total) = questions(answers, &corpora)?;
    let (embedder, _) = Embedder::start(model)?;
    let points = Points { prototypes: 0, title_share: None };
    let making = Making { embedder: &embedder, model: &answers.model, data: &answers.data, points };
    let texts = Texts::read(&corpora)?;
    let queries: Vec<String> = asked.iter().map(|asked| asked.query.clone()).collect();
    let vectors = embedder.embed_all(&queries, |_| {}).await?;
    let folds = trial::parts(&vectors.iter().collect::<Vec<_>>(), |at| asked[at].own().is_some());

    let chosen = shares::choose(&making, &corpora, &asked, &vectors, &folds).await?;
    let central = Central::make(&making, &answers.corpora, &asked, &vectors).await?;
    let progress = progress::bar("questions", asked.len())?;
    let mut cases: BTreeMap<usize, Case> = BTreeMap::new();
    for fold in 0..FOLDS {
        let federation = Federation::start(&making, &corpora, &chosen, fold).await?;
        for (at, asked) in asked.iter().enumerate().filter(|(at, _)| folds[*at] == fold) {
            let told = federation.ask(&asked.query).await?;
            let lies = (&vectors[at], told.best.as_slice());
            let case = Case {
                judged: Judged::of(&texts, asked, &told),
                support: beside::support(&federation, asked, lies)?,
                beside: beside::ask(&federation, &central, &texts, (at, asked), lies).await?,
                gold: texts.gold(asked).first().map(|text| (*text).to_owned()),
                asked: asked.clone(),
                told,
            };
            cases.insert(at, case);
            progress.inc(1);
        }
        federation.stop().await?;
    }
    progress.finish_and_clear();
    let mut cases: Vec<Case> = cases.into_values().collect();
    judge::similarities(&embedder, &texts, &mut cases).await?;
    let setting = Setting {
        engine: embedder.backend().to_string(),
        corpora: corpora.len(),
        passages: texts.passage_count(),
        left_out: total - cases.len(),
        shares: chosen,
        central: central.shares,
        corpora_sha256: digests(&corpora)?,
        queries_sha256: digests(&texts::jsonl(&answers.queries)?)?,
    };
    Ok((Figures::of(setting, &cases), cases))
}
