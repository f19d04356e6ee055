//! How fast a log is: `cargo run --release -p audit --example log_bench`. Prints what appending, publishing,
//! proving, verifying, opening and auditing take with entries of 73 bytes, in a temporary folder.

#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use audit::{
    Proof, SecretKey, Vkey,
    log::{LogError, Reader, Settings, Writer},
    note::Algorithm,
};

/// The bytes of a receipt's leaf.
const ENTRY_BYTES: usize = 73;

/// How many proofs are made and verified.
const PROOFS: u64 = 1_000;

fn entry(index: u64) -> [u8; ENTRY_BYTES] {
    let mut entry = [7; ENTRY_BYTES];
    entry[..8].copy_from_slice(&index.to_be_bytes());
    entry
}

fn timed<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let start = Instant::now();
    run().map(|result| (result, start.elapsed()))
}

fn measure(size: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let key = SecretKey::generate()?;
    let log = Vkey::new("r/receipts", Algorithm::Ed25519, key.public())?;
    let settings = || Settings {
        folder: folder.path().to_owned(),
        origin: "r/receipts".to_owned(),
        key: key.clone(),
        witnesses: Vec::new(),
    };
    let none = std::iter::empty::<Result<Vec<u8>, LogError>>();
    let (mut writer, _) = Writer::open(settings(), none)?;
    let append = || (0..size).try_for_each(|index| writer.append(&entry(index)).map(drop));
    let ((), appending) = timed(append)?;
    let (_, first) = timed(|| writer.publish())?;
    writer.append(&entry(size))?;
    let (_, publishing) = timed(|| writer.publish())?;

    let indexes: Vec<u64> = (0..PROOFS).map(|at| at * (size / PROOFS)).collect();
    let prove = || indexes.iter().map(|index| writer.prove(*index)).collect();
    let (proofs, proving): (Vec<Proof>, _) = timed::<_, LogError>(prove)?;
    let texts: Vec<String> = proofs.iter().map(Proof::to_string).collect();
    let verify = || {
        texts.iter().zip(&indexes).try_for_each(|(text, index)| {
            let proof: Proof = text.parse()?;
            proof.verify(&entry(*index), &log, &[]).map(|opened| drop(black_box(opened)))
        })
    };
    let ((), verifying) = timed::<_, audit::ProofError>(verify)?;
    let longest = texts.iter().map(String::len).max().unwrap_or_default();

    drop(writer);
    let entries = (0..=size).map(|index| Ok::<_, LogError>(entry(index).to_vec()));
    let (_, opening) = timed(|| Writer::open(settings(), entries))?;
    let reader = Reader::folder(folder.path());
    let (_, auditing) = timed(|| reader.audit(&log, &[], |_, _| Ok::<_, LogError>(())))?;

    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(PROOFS).unwrap_or(1));
    println!("{size} entries");
    println!("  append      {:>10.0} a second", f64::from(u32::try_from(size)?) / appending.as_secs_f64());
    println!("  publish     {:>10.2} ms, and {:.2} ms the first time", ms(publishing), ms(first));
    println!("  prove       {:>10.1} us", each(proving));
    println!("  verify      {:>10.1} us, with its checkpoint's signature", each(verifying));
    println!("  proof       {longest:>10} bytes at most, {} hashes", proofs[0].path.len());
    println!("  open        {:>10.2} s, comparing every file", opening.as_secs_f64());
    println!("  full audit  {:>10.2} s", auditing.as_secs_f64());
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() -> Result<(), Box<dyn Error>> {
    for size in [1_000, 100_000, 1_000_000] {
        measure(size)?;
    }
    Ok(())
}
