//! Follows the corpus: what changes on disk is served a moment later. What cannot be read any more
//! goes on being served as it was.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use crate::{
    Error, Settings,
    error::chain,
    library::{Librarian, Library},
};

/// The shortest time between two looks at the corpus.
const RESCAN_MIN: Duration = Duration::from_millis(50);

/// Looks at the corpus again and again until `stopping` ends, and replaces the library when it has
/// changed.
pub(crate) async fn follow(
    mut librarian: Librarian,
    endpoint: String,
    library: watch::Sender<Arc<Library>>,
    stopping: impl Future<Output = ()>,
) {
    let pause = pause(librarian.settings());
    let mut stopping = pin!(stopping);
    let mut reported = None;
    loop {
        let look = async {
            sleep(pause).await;
            refresh(&mut librarian, &endpoint, &library).await
        };
        let looked = tokio::select! {
            () = &mut stopping => return,
            looked = look => looked,
        };
        let problem = looked.err().map(|error| chain(&error));
        // A problem that stays is said once, not at every look.
        if let Some(problem) = problem.as_ref().filter(|problem| reported.as_ref() != Some(*problem)) {
            tracing::warn!(%problem, "corpus has changed, but the one before is served");
        }
        reported = problem;
    }
}

/// The time between two looks at the corpus.
pub(crate) fn pause(settings: &Settings) -> Duration {
    Duration::from_millis(settings.config.rescan_ms).max(RESCAN_MIN)
}

async fn refresh(
    librarian: &mut Librarian,
    endpoint: &str,
    library: &watch::Sender<Arc<Library>>,
) -> Result<(), Error> {
    if let Some(collection) = librarian.refresh().await? {
        let next = Library::publish(librarian.settings(), endpoint, collection)?;
        tracing::info!(revision = next.card().card().revision, "corpus has changed");
        library.send_replace(Arc::new(next));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::library::tests::librarian;

    #[tokio::test]
    async fn an_empty_corpus_leaves_the_old_library() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus");
        fs::create_dir(&corpus).unwrap();
        fs::write(corpus.join("a.txt"), "One.").unwrap();
        let mut librarian = librarian(folder.path());
        let collection = librarian.refresh().await.unwrap().unwrap();
        let endpoint = "http://localhost:1";
        let first = Library::publish(librarian.settings(), endpoint, collection).unwrap();
        let (library, current) = watch::channel(Arc::new(first));
        let passages = || current.borrow().card().card().passage_count;

        fs::rename(corpus.join("a.txt"), folder.path().join("a.txt")).unwrap();
        let error = refresh(&mut librarian, endpoint, &library).await.unwrap_err();
        assert!(chain(&error).contains("corpus holds no passages"), "{}", chain(&error));
        assert_eq!(passages(), 1);

        fs::rename(folder.path().join("a.txt"), corpus.join("a.txt")).unwrap();
        fs::write(corpus.join("b.jsonl"), "{\"id\":\"b\",\"text\":\"x\"}").unwrap();
        refresh(&mut librarian, endpoint, &library).await.unwrap();
        assert_eq!(passages(), 2);
    }
}
