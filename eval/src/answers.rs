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
    /// Of the passages that answer it the one that the answer says most of.
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
                gold: judge::nearest(&texts.gold(asked), &told.words()),
                asked: asked.clone(),
                told,
            };
            cases.insert(at, case);
            progress.inc(1);
        }
        federation.stop().await;
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use clap::Parser;

    use super::*;
    use crate::{Cli, Command};

    /// Corpora about wine and the Moon, questions to them of which all but one have known passages, and some
    /// that belong to nobody.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, lines: Vec<String>| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, lines.join("\n")).unwrap();
        };
        let passage = |about: &str, at: usize| {
            format!(
                r#"{{"id": "{about}{at}", "title": "{about} {at}", "text": "The {about} has sign{at} and mark{at}. So it is."}}"#
            )
        };
        let asked = |about: &str, at: usize, gold: &str| {
            format!(
                r#"{{"query": "{about} sign{at} mark{at}", "domain": "{about}", "kind": "short", "gold_ids": [{gold}]}}"#
            )
        };
        for about in ["wine", "moon"] {
            write(&format!("corpora/{about}.jsonl"), (0..20).map(|at| passage(about, at)).collect());
            let known = (0..19).map(|at| asked(about, at, &format!("\"{about}{at}\"")));
            write(&format!("queries/{about}.jsonl"), known.chain([asked(about, 19, "")]).collect());
        }
        let nobodys = |at| format!(r#"{{"query": "tie bowline{at}", "domain": "none", "kind": "none"}}"#);
        write("queries/_none.jsonl", (0..10).map(nobodys).collect());
        folder
    }

    fn answers(folder: &Path) -> Answers {
        let path = |name: &str| folder.join(name).display().to_string();
        let (corpora, queries, data) = (path("corpora"), path("queries"), path("data"));
        let args = ["eval", "answers", "--corpora", &corpora, "--queries", &queries, "--data", &data]
            .map(str::to_owned);
        let Command::Answers(answers) = Cli::try_parse_from(args).unwrap().command else {
            panic!("another command");
        };
        answers
    }

    #[tokio::test]
    async fn a_whole_federation_is_asked_and_held_to_what_answers() {
        let folder = folder();
        let (figures, cases) = measure(&answers(folder.path()), Model::hashed()).await.unwrap();
        let json = serde_json::to_value(&figures).unwrap();
        let value = |name: &str| json[name]["value"].as_f64().unwrap();
        assert_eq!(
            (&json["questions"], &json["known"], &json["outside"]),
            (&40.into(), &38.into(), &10.into())
        );
        for name in
            ["ndcg10", "mrr10", "recall5", "rouge_l", "similarity", "refusal_auroc", "citation_recall"]
        {
            assert!(value(name) > 0.9, "{name}\n{}", figures.table());
        }
        assert!(value("citation_precision") > 0.4 && value("traced") > 0.6, "{}", figures.table());
        assert!(value("federation_loss") < 0.1, "{}", figures.table());
        let case = cases.iter().find(|case| case.asked.query.contains("moon sign7 ")).unwrap();
        assert!(
            case.told.words().contains("sign7") && case.told.first_words.is_some(),
            "{}",
            case.told.words()
        );

        let page = folder.path().join("page.md");
        page::write(&page, &cases).unwrap();
        let page = fs::read_to_string(page).unwrap();
        assert!(page.contains("## Worst") && page.contains("> The moon has sign"), "{page}");
    }
}
