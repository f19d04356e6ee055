//! Writes `docs/performance.md` and its plots from the records in the repository, and nothing else:
//! no number of the page is typed by hand.

mod page;
mod plots;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{agreement, record::Record, speed, throughput};

/// From where to where.
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// Folder of records, each named after its command and machine, as `speed-amd-epyc-zen3.json`.
    #[arg(long, value_name = "DIR", default_value = "eval/records")]
    records: PathBuf,
    /// Folder that the page is written to.
    #[arg(long, value_name = "DIR", default_value = "docs")]
    docs: PathBuf,
}

/// A record, and the name of its file.
struct Named<F> {
    name: String,
    record: Record<F>,
}

/// All records, each kind in the order of the names.
#[derive(Default)]
struct Records {
    speed: Vec<Named<speed::Figures>>,
    throughput: Vec<Named<throughput::Figures>>,
    agreement: Vec<Named<agreement::Figures>>,
}

/// Reads the records and writes the page.
pub(crate) fn run(report: &Report) -> Result<()> {
    for (path, text) in files(&Records::read(&report.records)?)? {
        let path = report.docs.join(path);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&report.docs)).and_then(|()| fs::write(&path, text))
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The page and its plots, each with its path from the documents' folder.
fn files(records: &Records) -> Result<Vec<(String, String)>> {
    let mut files = vec![("performance.md".to_owned(), page::of(records))];
    for Named { name, record } in &records.speed {
        files.push((plots::path(name, "encode"), plots::encode(&record.figures)?));
        files.push((plots::path(name, "stages"), plots::stages(&record.figures)?));
        files.push((plots::path(name, "limit"), plots::limit(&record.figures)?));
    }
    Ok(files)
}

impl Records {
    fn read(folder: &Path) -> Result<Self> {
        let entries = fs::read_dir(folder)
            .with_context(|| format!("cannot read {}: run this where the repository is", folder.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        let mut records = Self::default();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match name.split('-').next() {
                Some("speed") => records.speed.push(Named::read(name, &path)?),
                Some("throughput") => records.throughput.push(Named::read(name, &path)?),
                Some("agreement") => records.agreement.push(Named::read(name, &path)?),
                _ => bail!("{} is not named after a command: speed-MACHINE.json, say", path.display()),
            }
        }
        Ok(records)
    }
}

impl<F: for<'a> Deserialize<'a>> Named<F> {
    fn read(name: String, path: &Path) -> Result<Self> {
        Ok(Self { name, record: Record::read(path)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn the_page_is_what_the_records_say() {
        let expected = files(&Records::read(&root().join("eval/records")).unwrap()).unwrap();
        for (path, text) in &expected {
            let found = fs::read_to_string(root().join("docs").join(path)).unwrap_or_default();
            assert!(found == *text, "{path} is not what the records give: run cargo eval report");
        }
        for plot in fs::read_dir(root().join("docs/performance")).unwrap() {
            let path = format!("performance/{}", plot.unwrap().file_name().display());
            assert!(expected.iter().any(|(expected, _)| *expected == path), "no record gives {path}");
        }
    }

    /// Each section is a passage of the example that answers questions about Consilium.
    #[test]
    fn each_section_is_a_passage() {
        let page = page::of(&Records::read(&root().join("eval/records")).unwrap());
        for section in page.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
            assert!((60..=180).contains(&words), "{heading}: {words} words");
            assert!(text.trim().len() <= 1_400, "{heading}: {} bytes", text.trim().len());
        }
    }
}
