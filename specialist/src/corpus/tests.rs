//! Folders of files, read as they are by a specialist.

use std::{fs, os::unix::fs::MetadataExt as _};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

/// A folder of files, and its reader.
struct Folder {
    folder: tempfile::TempDir,
    reader: Reader,
}

impl Folder {
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reader = Reader::new(folder.path(), "CC0-1.0");
        let this = Self { folder, reader };
        for (name, bytes) in files {
            this.write(name, bytes);
        }
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Without the folder's own name.
    fn short(&self, text: &str) -> String {
        let root = self.folder.path().display().to_string();
        text.replace(&format!("{root}/"), "").replace(&root, "the corpus")
    }

    /// What the next look finds: whether it is new, the ids, and what was skipped.
    fn looks(&mut self) -> (bool, Vec<String>, Vec<String>) {
        let changed = self.reader.look().unwrap();
        let Corpus { passages, report, .. } = self.reader.corpus();
        let skipped = report.skipped.iter().map(|skip| self.short(&skip.to_string())).collect();
        (changed, passages.iter().map(|passage| passage.id.clone()).collect(), skipped)
    }

    #[track_caller]
    fn finds(&mut self, ids: &[&str], skipped: &[&str]) {
        let seen = self.looks();
        assert_eq!(seen, (true, strings(ids), strings(skipped)));
    }

    #[track_caller]
    fn fails(&mut self, error: &str) {
        let failed = self.reader.look().unwrap_err().to_string();
        assert_eq!(self.short(&failed), error);
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

const ONE: &str = "{\"id\":\"one\",\"text\":\"x\"}\n";

#[test]
fn the_files_that_are_named_are_those_that_passages_come_from() {
    let good = b"{\"id\":\"b\",\"text\":\"Two.\"}";
    let mut folder = Folder::of(&[("a.txt", b"One."), ("b.jsonl", good), ("c.txt", b" "), ("d.bin", b"x")]);
    let named = |folder: &Folder| -> Vec<(String, Digest)> {
        let files = folder.reader.corpus().files.iter();
        files.map(|file| (file.name.clone(), file.digest)).collect()
    };
    let expected = [("a.txt".to_owned(), Digest::of("One.")), ("b.jsonl".to_owned(), Digest::of(good))];
    folder.looks();
    assert_eq!(named(&folder), expected);
    // What was read before is served on, so it is that which is named.
    folder.write("b.jsonl", "{");
    assert!(folder.looks().0);
    assert_eq!(named(&folder), expected);
    // Without a passage that is served, a file is none of them.
    let taken = folder.reader.corpus().passages[0].id.clone();
    folder.write("b.jsonl", format!("{{\"id\":\"{taken}\",\"text\":\"Two.\"}}"));
    assert_eq!(folder.looks().1, [taken]);
    assert_eq!(named(&folder), expected[..1]);
}

#[test]
fn folders_are_read_in_order_and_strangers_ignored() {
    let mut folder = Folder::of(&[
        ("b.txt", b"Last."),
        ("a/z.jsonl", b"{\"id\":\"one\",\"text\":\"x\"}\n\n{\"id\":\"two\",\"text\":\"y\"}"),
        ("a/b.MD", b"# Title\nText."),
        (".hidden.txt", b"no"),
        (".git/c.txt", b"no"),
        ("picture.png", b"\xff"),
    ]);
    folder.finds(&["a/b.MD#title", "one", "two", "b.txt#1"], &[]);
    assert_eq!(folder.reader.corpus().report.ignored, 1);
    assert_eq!(folder.reader.corpus().report.files(), 3);
}

#[test]
fn a_broken_line_is_named_and_its_neighbours_stay() {
    #[track_caller]
    fn skips(line: &[u8], reason: &str) {
        let bytes = [b"{\"id\":\"a\",\"text\":\"x\"}\n", line, b"\n{\"id\":\"b\",\"text\":\"x\"}"].concat();
        Folder::of(&[("c/a.jsonl", &bytes)]).finds(&["a", "b"], &[&format!("c/a.jsonl:2: {reason}")]);
    }
    skips(b"{\"id\":", "is not JSON (column 6)");
    skips(b"\"secret\"", "is not a JSON object");
    skips(b"{\"id\":5,\"text\":\"x\"}", "id must be a string");
    skips(b"{\"text\":\"x\"}", "id has 0 characters, where 1 to 200 are allowed");
    skips(b"{\"id\":\"c\",\"text\":\" \"}", "text has 0 bytes, where 1 to 32768 are allowed");
    skips(b"{\"id\":\"c\",\"text\":\"x\",\"page\":\"4\"}", "page must be a number");
    let url = b"{\"id\":\"c\",\"text\":\"x\",\"url\":\"ftp://x\"}";
    skips(url, "url must be an http or https address");
    skips(b"\xff", "is not UTF-8");
    let long = format!("{{\"id\":\"c\",\"text\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX));
    skips(long.as_bytes(), "has more than 1048576 bytes");
    skips(b"{\"id\":\"a\",\"text\":\"y\"}", "the id \"a\" is taken by c/a.jsonl:1");
}

#[test]
fn many_faults_are_counted() {
    let bytes = ONE.to_owned() + &"{\n".repeat(FAULTS_MAX + 7);
    let mut folder = Folder::of(&[("a.jsonl", bytes.as_bytes())]);
    let (_, ids, skipped) = folder.looks();
    assert_eq!((ids.len(), skipped.len()), (1, FAULTS_MAX + 1));
    assert_eq!(skipped.last().unwrap(), "a.jsonl: 7 more are skipped");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_stay() {
    let mut folder = Folder::of(&[("a.txt", b"One."), ("b.md", b"# B\nx\n\xff"), ("d.txt", b"Two.")]);
    // A file of 2 GiB that takes no room.
    fs::File::create(folder.path("c.txt")).unwrap().set_len(2 << 30).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("e.txt")).unwrap();
    let gone = "e.txt: cannot be read: No such file or directory (os error 2)";
    let skipped = [gone, "b.md:3: is not UTF-8", "c.txt: has more than 67108864 bytes"];
    folder.finds(&["a.txt#1", "d.txt#1"], &skipped);
    assert!(!folder.looks().0, "what cannot be read is no news the second time");

    folder.write("b.md", "# B\nx\n");
    fs::remove_file(folder.path("c.txt")).unwrap();
    fs::remove_file(folder.path("e.txt")).unwrap();
    folder.finds(&["a.txt#1", "b.md#b", "d.txt#1"], &[]);
}

#[test]
fn folders_too_deep_are_named() {
    let deep = format!("{}a.txt", "d/".repeat(DEPTH_MAX + 1));
    let mut folder = Folder::of(&[("a.txt", b"One."), (&deep, b"Two.")]);
    let (_, ids, skipped) = folder.looks();
    assert_eq!((ids, skipped.len()), (strings(&["a.txt#1"]), 1));
    assert!(skipped[0].ends_with("d: lies in more than 32 folders"), "{}", skipped[0]);
}

#[test]
fn nothing_to_serve_is_an_error_once_and_names_what_was_skipped() {
    let mut folder = Folder::of(&[("a.png", b"x")]);
    let empty = format!("the corpus holds no passages ({})", endings());
    folder.fails(&empty);
    assert!(!folder.looks().0);
    folder.write("a.jsonl", "{\n{\n{\n{\n{");
    let line = |n| format!("; skipped a.jsonl:{n}: is not JSON (column 1)");
    folder.fails(&format!("{empty}{}{}{}; and 2 more", line(1), line(2), line(3)));
    let missing = Reader::new(Path::new("nowhere/at/all"), "").look().unwrap_err();
    assert_eq!(missing.to_string(), "cannot read nowhere/at/all");
}

#[test]
fn an_id_belongs_to_the_first_and_to_the_second_when_that_is_gone() {
    let mut folder = Folder::of(&[("a.jsonl", ONE.as_bytes()), ("b.jsonl", ONE.as_bytes())]);
    folder.finds(&["one"], &["b.jsonl:1: the id \"one\" is taken by a.jsonl:1"]);
    fs::remove_file(folder.path("a.jsonl")).unwrap();
    folder.finds(&["one"], &[]);
}

#[test]
fn what_was_read_once_stays_until_it_is_readable_or_gone() {
    let mut folder =
        Folder::of(&[("a.txt", b"One."), ("b.md", b"# B\nx\n# C\ny\n"), ("c.jsonl", ONE.as_bytes())]);
    folder.finds(&["a.txt#1", "b.md#b", "b.md#c", "one"], &[]);
    folder.write("b.md", b"# B\n\xff");
    let kept = "b.md: its 2 passages as read before are served on";
    folder.finds(&["a.txt#1", "b.md#b", "b.md#c", "one"], &["b.md:2: is not UTF-8", kept]);
    // A change elsewhere does not end it.
    folder.write("a.txt", "Two.\n");
    folder.finds(&["a.txt#1", "b.md#b", "b.md#c", "one"], &["b.md:2: is not UTF-8", kept]);
    folder.write("b.md", "# D\nz\n");
    folder.finds(&["a.txt#1", "b.md#d", "one"], &[]);
    // As a folder or a mount that is away for a while: it cannot even be looked at.
    fs::rename(folder.path("c.jsonl"), folder.path("away")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("c.jsonl")).unwrap();
    let away = "c.jsonl: cannot be read: No such file or directory (os error 2)";
    folder.finds(&["a.txt#1", "b.md#d", "one"], &[away]);
    fs::remove_file(folder.path("c.jsonl")).unwrap();
    fs::rename(folder.path("away"), folder.path("c.jsonl")).unwrap();
    folder.finds(&["a.txt#1", "b.md#d", "one"], &[]);
    // Emptied on purpose, it is gone.
    folder.write("b.md", "");
    folder.finds(&["a.txt#1", "one"], &[]);
    fs::remove_file(folder.path("c.jsonl")).unwrap();
    folder.finds(&["a.txt#1"], &[]);
}

#[test]
fn only_what_has_changed_is_read_again() {
    let mut folder = Folder::of(&[("a.txt", b"One."), ("b.txt", b"Two.")]);
    folder.finds(&["a.txt#1", "b.txt#1"], &[]);
    assert!(!folder.looks().0);
    // One byte for another, with the time set back: the length and the time of writing are the same.
    let written = fs::metadata(folder.path("b.txt")).unwrap().modified().unwrap();
    // The system's clock moves in steps: written until it has.
    let changed = || fs::metadata(folder.path("b.txt")).unwrap().ctime_nsec();
    let before = changed();
    while changed() == before {
        folder.write("b.txt", "Tao.");
        let file = fs::File::options().append(true).open(folder.path("b.txt")).unwrap();
        file.set_modified(written).unwrap();
    }
    assert!(folder.looks().0);
    assert_eq!(folder.reader.corpus().passages[1].text, "Tao.");
}

/// A file of each format, and the id of its passage.
fn one_of_each() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let word = "<w:p><w:r><w:t>Words of Word.</w:t></w:r></w:p>";
    vec![
        ("a.csv", b"id,text\nrow,Words of a row.\n".to_vec(), "row"),
        ("b.docx", docx::tests::body(word), "b.docx#b"),
        ("c.HTM", b"<p>Words of a page.".to_vec(), "c.HTM#c"),
        ("d.jsonl", ONE.as_bytes().to_vec(), "one"),
        ("e.md", b"# E\nWords.".to_vec(), "e.md#e"),
        ("f.pdf", pdf::tests::document("", &[&["Words of print."]]), "f.pdf#p1"),
        ("g.txt", b"Words.".to_vec(), "g.txt#1"),
    ]
}

#[test]
fn every_format_is_read() {
    let files = one_of_each();
    let named: Vec<_> = files.iter().map(|(name, bytes, _)| (*name, bytes.as_slice())).collect();
    let ids: Vec<_> = files.iter().map(|(_, _, id)| *id).collect();
    let mut folder = Folder::of(&named);
    folder.finds(&ids, &[]);
    let formats: Vec<_> = folder.reader.corpus().report.formats.iter().map(|count| count.format).collect();
    assert_eq!(formats.len(), Format::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes under any ending, alone or in a whole file's place: the neighbours are served, and
    /// nothing is lost without a word.
    #[test]
    fn no_bytes_cost_a_neighbour(
        at in 0_usize..7,
        noise in vec(any::<u8>(), 0..400),
        cut in any::<Index>(),
        whole in any::<bool>(),
    ) {
        let mut files = one_of_each();
        let (name, bytes, _) = &mut files[at];
        let (name, cut) = (*name, cut.index(bytes.len()));
        *bytes = if whole { noise } else { [&bytes[..cut], &noise, &bytes[cut..]].concat() };
        let named: Vec<_> = files.iter().map(|(name, bytes, _)| (*name, bytes.as_slice())).collect();
        let mut folder = Folder::of(&named);
        let (_, ids, skipped) = folder.looks();
        for (_, _, neighbour) in files.iter().filter(|(other, _, _)| *other != name) {
            prop_assert!(ids.iter().any(|id| id == neighbour), "{neighbour} is lost beside {name}");
        }
        prop_assert!(skipped.iter().all(|skip| skip.starts_with(name)), "{skipped:?}");
    }
}

#[test]
fn a_document_that_breaks_its_parser_is_named_once() {
    for (name, bytes) in [("x.pdf", b"%PDF-1.4\nsecret".as_slice()), ("x.docx", b"PK\x03\x04secret")] {
        let mut folder = Folder::of(&[("a.txt", b"One."), (name, bytes)]);
        let (_, ids, skipped) = folder.looks();
        assert_eq!((ids, skipped.len()), (strings(&["a.txt#1"]), 1));
        assert!(!skipped[0].contains("secret"), "{}", skipped[0]);
    }
}
