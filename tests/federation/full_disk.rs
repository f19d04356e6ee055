//! A disk without room, as a file system of its own in memory: skipped, with a word, where the tests
//! may not mount one.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::{
    answers::{cheese, planets},
    harness::{Institution, Router, run},
};

/// A folder with room for little.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: no file system may be mounted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left; what to remove to have it back.
    fn fill(&self) -> std::path::PathBuf {
        let ballast = self.path().join("ballast");
        let filled = fs::write(&ballast, vec![0; 8 << 20]);
        assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_registration_that_cannot_be_written_is_not_made() {
    let Some(disk) = SmallDisk::mount("1m") else { return };
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::on(disk.path()).await;
    router.add(&planets).await;
    let ballast = disk.fill();

    let refused = router.registry(&["add", &cheese.url, "--yes"]).await;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("no room left on the disk"), "{why}");
    assert_eq!(router.registry_json(&["list"]).await.as_array().unwrap().len(), 1);
    assert!(router.ask("why is Mars red").await.text().starts_with("Mars is red"));

    fs::remove_file(ballast).unwrap();
    router.add(&cheese).await;
    assert_eq!(router.registry_json(&["list"]).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_specialist_that_cannot_keep_its_embeddings_says_so() {
    let Some(disk) = SmallDisk::mount("64k") else { return };
    let texts: Vec<String> = (0..200).map(|n| format!("Passage number {n}.")).collect();
    let passages: Vec<(&str, &str)> = texts.iter().map(|text| ("Title", text.as_str())).collect();
    let institution = Institution::new("large").knows(&passages);
    let file = institution.file();
    let args = ["serve", "--config", file.to_str().unwrap(), "--data", disk.path().to_str().unwrap()];

    let served = run("specialist", args).await;
    let why = String::from_utf8_lossy(&served.stderr).into_owned();
    assert_eq!(served.status.code(), Some(1), "{why}");
    assert!(why.contains("cannot write") && why.contains("No space left"), "{why}");
    // What was begun was taken back.
    let cache = fs::read_dir(disk.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(cache.metadata().unwrap().len(), 0);
}
