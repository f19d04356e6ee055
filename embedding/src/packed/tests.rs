use std::{
    fs,
    path::{Path, PathBuf},
};

use proto::UnitVector;

use super::{Isa, Packed};
use crate::{Encoder, Engine, Model, Tokens, parts::Parts, tokens::Tokenizer};

mod kernels;

const COSINE_MIN: f32 = 0.9999;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> Option<PathBuf> {
    let folder = root().join("models/all-MiniLM-L6-v2");
    if !folder.exists() {
        println!("skipped: no weights, run make setup");
        return None;
    }
    Some(folder)
}

/// Calls `test` with each instruction set that this processor has.
fn each_isa(mut test: impl FnMut(Isa)) {
    let available = Isa::available();
    for engine in ["packed amx", "packed avx512", "packed avx2"] {
        match available.iter().find(|isa| isa.engine() == engine) {
            Some(isa) => test(*isa),
            None => println!("skipped: no {engine} on this processor"),
        }
    }
}

fn packed(folder: &Path, isa: Isa) -> Packed {
    let Parts { config, weights, space, .. } = Parts::read(folder).unwrap();
    Packed::load(&weights, &config, space, isa).unwrap()
}

fn tokens(tokenizer: &Tokenizer, texts: &[String]) -> Vec<Tokens> {
    texts.iter().map(|text| tokenizer.tokens(text).unwrap()).collect()
}

fn in_batches(encoder: &mut dyn Encoder, texts: &[Tokens]) -> Vec<UnitVector> {
    texts.chunks(32).flat_map(|batch| encoder.encode(batch).unwrap()).collect()
}

/// The passages of all examples.
fn passages() -> Vec<String> {
    let mut texts = Vec::new();
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let Ok(corpus) = fs::read_dir(example.unwrap().path().join("corpus")) else { continue };
        for file in corpus.map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "jsonl") {
                for line in fs::read_to_string(file).unwrap().lines() {
                    let passage: serde_json::Value = serde_json::from_str(line).unwrap();
                    texts.push(passage["text"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    assert!(texts.len() > 50, "only {} passages", texts.len());
    texts
}

fn questions() -> Vec<String> {
    let text = fs::read_to_string(root().join("proto/background.txt")).unwrap();
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

#[track_caller]
fn alike(one: &[UnitVector], other: &[UnitVector], cosine_min: f32) {
    assert_eq!(one.len(), other.len());
    let cosines = one.iter().zip(other).map(|(one, other)| one.cosine(other));
    let least = cosines.fold(1.0, f32::min);
    println!("least cosine {least:.7}");
    assert!(least >= cosine_min, "{least}");
}

/// Whether the ten nearest by `one` are also the ten nearest by `other`, but for ties.
fn same_nearest(one: &[f32], other: &[f32]) -> bool {
    let tenth = |cosines: &[f32]| {
        let mut sorted = cosines.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted[9]
    };
    let (one_min, other_min) = (tenth(one), tenth(other));
    one.iter().zip(other).all(|(one, other)| {
        let tied = (one - one_min).abs() <= 1e-5;
        tied || (*one >= one_min) == (*other >= other_min)
    })
}

#[test]
fn vectors_and_neighbours_are_those_of_candle() {
    let Some(folder) = folder() else { return };
    let tokenizer = Parts::read(&folder).unwrap().tokenizer;
    let mut candle = Model::load_with(&folder, Some(Engine::Candle)).unwrap().encoder;
    assert_eq!(candle.backend().engine, "candle");
    let passages = tokens(&tokenizer, &passages());
    let questions = tokens(&tokenizer, &questions());
    let expected = [&passages, &questions].map(|texts| in_batches(candle.as_mut(), texts));
    each_isa(|isa| {
        let mut packed = packed(&folder, isa);
        println!("{}: {} passages, {} questions", packed.backend().engine, passages.len(), questions.len());
        let found = [&passages, &questions].map(|texts| in_batches(&mut packed, texts));
        alike(&found[0], &expected[0], COSINE_MIN);
        alike(&found[1], &expected[1], COSINE_MIN);
        let cosines = |[passages, questions]: &[Vec<UnitVector>; 2], question: usize| -> Vec<f32> {
            passages.iter().map(|passage| passage.cosine(&questions[question])).collect()
        };
        let same = (0..questions.len())
            .filter(|question| same_nearest(&cosines(&expected, *question), &cosines(&found, *question)))
            .count();
        println!("same ten nearest for {same} of {}", questions.len());
        assert!(same * 1_000 >= questions.len() * 999, "{same}");
    });
}

/// Lengths round those of panels and tiles, and the longest that the network has positions for.
#[test]
fn texts_of_every_length_alone_and_together() {
    let Some(folder) = folder() else { return };
    let mut candle = Model::load_with(&folder, Some(Engine::Candle)).unwrap().encoder;
    let lengths = [2, 3, 11, 12, 13, 25, 31, 32, 33, 47, 48, 49, 64, 97, 128, 129, 255, 256, 512];
    let text = |length: u32| Tokens::of((0..length).map(|i| 1_000 + (i * 7_919 + length) % 20_000).collect());
    let texts = lengths.map(text);
    let alone = |encoder: &mut dyn Encoder| -> Vec<UnitVector> {
        texts.iter().flat_map(|text| encoder.encode(std::slice::from_ref(text)).unwrap()).collect()
    };
    let expected = alone(candle.as_mut());
    each_isa(|isa| {
        let mut packed = packed(&folder, isa);
        let found = alone(&mut packed);
        alike(&found, &expected, COSINE_MIN);
        alike(&packed.encode(&texts).unwrap(), &found, 0.99999);
        assert!(packed.encode(&[]).unwrap().is_empty());
    });
}

#[test]
fn a_token_without_a_place_is_an_error() {
    let Some(folder) = folder() else { return };
    each_isa(|isa| {
        let mut packed = packed(&folder, isa);
        for ids in [vec![], vec![u32::MAX], vec![101; 513]] {
            let message = packed.encode(&[Tokens::of(ids)]).unwrap_err().to_string();
            assert_eq!(message, "encoder failed: no tokens, or one without a place in the network");
        }
    });
}
