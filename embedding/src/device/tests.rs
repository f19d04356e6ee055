//! On the CPU, where the same code runs in `f32` and in `f16`.

use std::{
    collections::HashMap,
    fs,
    panic::{catch_unwind, set_hook, take_hook},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use candle_core::{DType, Device, Tensor};
use proto::UnitVector;
use serde_json::json;

use super::{OnDevice, attempt::quietly, encoder_on};
use crate::{Backend, EncodeError, Encoder, Tokens, bert::Bert, parts::Parts};

/// In half precision.
const COSINE_MIN: f32 = 0.9999;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn weights() -> Option<Parts> {
    let folder = root().join("models/all-MiniLM-L6-v2");
    if !folder.exists() {
        println!("skipped: no weights, run make setup");
        return None;
    }
    Some(Parts::read(&folder).unwrap())
}

/// Questions about all kinds of things, and a page of documentation.
fn texts(parts: &Parts) -> Vec<Tokens> {
    let questions = fs::read_to_string(root().join("proto/background.txt")).unwrap();
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let passages: Vec<_> = page.split("\n\n").map(str::to_owned).collect();
    let questions = questions.lines().filter(|line| !line.trim().is_empty()).step_by(8).map(str::to_owned);
    questions.chain(passages).map(|text| parts.tokenizer.tokens(&text).unwrap()).collect()
}

fn alone(encoder: &mut dyn Encoder, texts: &[Tokens]) -> Vec<UnitVector> {
    texts.iter().flat_map(|text| encoder.encode(std::slice::from_ref(text)).unwrap()).collect()
}

fn together(encoder: &mut dyn Encoder, texts: &[Tokens]) -> Vec<UnitVector> {
    texts.chunks(8).flat_map(|batch| encoder.encode(batch).unwrap()).collect()
}

#[track_caller]
fn alike(what: &str, one: &[UnitVector], other: &[UnitVector], cosine_min: f32) {
    assert_eq!(one.len(), other.len());
    let cosines = one.iter().zip(other).map(|(one, other)| one.cosine(other));
    let least = cosines.fold(1.0, f32::min);
    println!("{what}: least cosine {least:.7} of {}", one.len());
    assert!(least >= cosine_min, "{what}: {least}");
}

/// Precisions, the least cosine that each is held to, and how many texts it is: half precision takes a
/// second for each on a CPU.
const PRECISIONS: [(DType, f32, usize); 2] =
    [(DType::F32, 0.999_999, usize::MAX), (DType::F16, COSINE_MIN, 3)];

#[test]
fn vectors_are_those_of_candle() {
    let Some(parts) = weights() else { return };
    let all = texts(&parts);
    for (dtype, cosine_min, count) in PRECISIONS {
        let texts: Vec<_> = all.iter().take(count).cloned().collect();
        let expected = alone(&mut Bert::load(&parts, &Device::Cpu).unwrap(), &texts);
        let mut encoder = OnDevice::load(&parts, &Device::Cpu, dtype).unwrap();
        assert_eq!(encoder.backend(), Backend { engine: "candle", device: "cpu" });
        alike(&format!("{dtype:?} alone"), &alone(&mut encoder, &texts), &expected, cosine_min);
        alike(&format!("{dtype:?} together"), &together(&mut encoder, &texts), &expected, cosine_min);
    }
}

/// Lengths round the alignment of padded rows, and the longest that the network has positions for.
#[test]
fn a_text_has_its_vector_whatever_is_beside_it() {
    let Some(parts) = weights() else { return };
    let text = |length: u32| Tokens::of((0..length).map(|i| 1_000 + (i * 7_919 + length) % 20_000).collect());
    let different = [2, 3, 7, 8, 9, 15, 16, 17, 64, 129, 511, 512].map(text);
    let same = [text(12), text(12), text(12)];
    let mut encoder = OnDevice::load(&parts, &Device::Cpu, DType::F32).unwrap();
    for texts in [different.as_slice(), &same] {
        let expected = alone(&mut encoder, texts);
        let found = encoder.encode(texts).unwrap();
        alike(&format!("of {}", texts.len()), &found, &expected, 0.999_999);
    }
    assert!(encoder.encode(&[]).unwrap().is_empty());
}

/// A network of two layers with weights and biases that look random.
mod small {
    use super::*;

    const VOCABULARY: u32 = 40;
    const POSITIONS: usize = 20;
    const HIDDEN: usize = 16;
    const INNER: usize = 24;

    /// What the file calls a tensor, and what a number at a place of it is.
    struct Weights {
        named: fn(&str) -> String,
        number: fn(&str, usize, f32) -> f32,
    }

    const PLAIN: Weights = Weights { named: str::to_owned, number: |_, _, number| number };

    fn shapes() -> Vec<(String, Vec<usize>)> {
        let mut shapes = vec![
            ("embeddings.word_embeddings.weight".to_owned(), vec![VOCABULARY as usize, HIDDEN]),
            ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, HIDDEN]),
            ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
        ];
        let mut layer = |name: String, shape: &[usize]| {
            shapes.push((format!("{name}.weight"), shape.to_vec()));
            shapes.push((format!("{name}.bias"), vec![shape[0]]));
        };
        layer("embeddings.LayerNorm".to_owned(), &[HIDDEN]);
        for prefix in ["encoder.layer.0", "encoder.layer.1"] {
            for name in ["self.query", "self.key", "self.value", "output.dense"] {
                layer(format!("{prefix}.attention.{name}"), &[HIDDEN, HIDDEN]);
            }
            layer(format!("{prefix}.attention.output.LayerNorm"), &[HIDDEN]);
            layer(format!("{prefix}.intermediate.dense"), &[INNER, HIDDEN]);
            layer(format!("{prefix}.output.dense"), &[HIDDEN, INNER]);
            layer(format!("{prefix}.output.LayerNorm"), &[HIDDEN]);
        }
        shapes
    }

    fn parts(activation: &str, weights: &Weights) -> Parts {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "model_type": "bert", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": INNER, "hidden_act": activation,
            "hidden_dropout_prob": 0.1, "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
            "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        });
        let model = json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": { "[UNK]": 0, "a": 1 },
        });
        let tokenizer = json!({ "version": "1.0", "added_tokens": [], "model": model });
        let mut seed = 1_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(seed >> 16).unwrap()) / 65_536.0 - 0.5
        };
        let tensors = shapes().into_iter().map(|(name, shape)| {
            let level = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
            let count: usize = shape.iter().product();
            let values: Vec<_> =
                (0..count).map(|place| (weights.number)(&name, place, level + random())).collect();
            ((weights.named)(&name), Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
        });
        let tensors: HashMap<_, _> = tensors.collect();
        candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        Parts::read(folder.path()).unwrap()
    }

    fn texts() -> [Tokens; 3] {
        [vec![7, 3, 9], vec![5, 5, 39, 1, 0, 12, 17, 30, 2], (1..21).collect()].map(Tokens::of)
    }

    fn expected(parts: &Parts) -> Vec<UnitVector> {
        Bert::load(parts, &Device::Cpu).unwrap().encode(&texts()).unwrap()
    }

    #[test]
    fn names_of_older_files_and_larger_models() {
        let old = |name: &str| match name.rsplit_once("LayerNorm.") {
            Some((layer, "weight")) => format!("bert.{layer}LayerNorm.gamma"),
            Some((layer, _)) => format!("bert.{layer}LayerNorm.beta"),
            None => format!("bert.{name}"),
        };
        for weights in [PLAIN, Weights { named: old, ..PLAIN }] {
            let parts = parts("gelu", &weights);
            let mut encoder = OnDevice::load(&parts, &Device::Cpu, DType::F32).unwrap();
            alike("names", &encoder.encode(&texts()).unwrap(), &expected(&parts), 0.999_999);
        }
    }

    #[test]
    fn a_token_without_a_place_is_an_error() {
        let mut encoder = OnDevice::load(&parts("gelu", &PLAIN), &Device::Cpu, DType::F32).unwrap();
        for ids in [vec![], vec![u32::MAX], vec![VOCABULARY], vec![1; POSITIONS + 1]] {
            let message = encoder.encode(&[Tokens::of(ids)]).unwrap_err().to_string();
            assert_eq!(message, "encoder failed: no tokens, or one without a place in the network");
        }
    }

    #[track_caller]
    fn runs_in_full_precision(parts: &Parts) {
        let mut encoder = encoder_on(parts, &Device::Cpu, DType::F16).unwrap();
        alike("in full", &encoder.encode(&texts()).unwrap(), &expected(parts), 0.999_999_5);
    }

    #[test]
    fn what_it_can_run_runs_in_half_precision() {
        let parts = parts("gelu", &PLAIN);
        let mut encoder = encoder_on(&parts, &Device::Cpu, DType::F16).unwrap();
        let found = encoder.encode(&texts()).unwrap();
        alike("in half", &found, &expected(&parts), COSINE_MIN);
        assert_ne!(found, expected(&parts));
    }

    #[test]
    fn another_activation_runs_in_full_precision() {
        let parts = parts("relu", &PLAIN);
        let refused = OnDevice::load(&parts, &Device::Cpu, DType::F16).err().unwrap();
        assert_eq!(refused.to_string(), "encoder failed: its hidden_act is not gelu");
        runs_in_full_precision(&parts);
    }

    #[test]
    fn a_norm_that_cannot_carry_biases_runs_in_full_precision() {
        let number = |name: &str, place, number| if carries(name, place) { 0.0 } else { number };
        let parts = parts("gelu", &Weights { number, ..PLAIN });
        let refused = OnDevice::load(&parts, &Device::Cpu, DType::F32).err().unwrap();
        assert!(refused.to_string().contains("cannot carry biases"), "{refused}");
        runs_in_full_precision(&parts);
    }

    /// Such a place is nearly the same for all tokens, and carries the biases by itself.
    #[test]
    fn a_norm_with_a_tiny_weight_carries_biases() {
        let number = |name: &str, place, number| if carries(name, place) { 1e-6 } else { number };
        let parts = parts("gelu", &Weights { number, ..PLAIN });
        for (dtype, cosine_min) in [(DType::F32, 0.999_999), (DType::F16, COSINE_MIN)] {
            let mut encoder = OnDevice::load(&parts, &Device::Cpu, dtype).unwrap();
            alike("tiny", &encoder.encode(&texts()).unwrap(), &expected(&parts), cosine_min);
        }
    }

    fn carries(name: &str, place: usize) -> bool {
        name == "encoder.layer.0.output.LayerNorm.weight" && place == 3
    }

    #[test]
    fn a_network_that_overflows_runs_in_full_precision() {
        let number = |name: &str, _, number| match name {
            "encoder.layer.0.intermediate.dense.weight" => number * 1e5,
            _ => number,
        };
        let parts = parts("gelu", &Weights { number, ..PLAIN });
        let mut half = OnDevice::load(&parts, &Device::Cpu, DType::F16).unwrap();
        assert!(matches!(half.encode(&texts()), Err(EncodeError::NoDirection)));
        runs_in_full_precision(&parts);
    }
}

#[test]
fn a_panic_is_a_reason_and_is_not_reported() {
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    let here = thread::current().id();
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if thread::current().id() == here {
            REPORTED.fetch_add(1, Ordering::Relaxed);
        } else {
            usual(panic);
        }
    }));
    assert_eq!(quietly(|| Ok::<_, EncodeError>(1)), Ok(1));
    assert_eq!(quietly(|| Err::<(), _>(EncodeError::Panicked)), Err("encoder panicked".to_owned()));
    assert_eq!(quietly(|| -> Result<(), EncodeError> { panic!("no driver") }), Err("no driver".to_owned()));
    let formatted = quietly(|| -> Result<(), EncodeError> { panic!("no {}", "library") });
    assert_eq!(formatted, Err("no library".to_owned()));
    assert_eq!(REPORTED.load(Ordering::Relaxed), 0);
    // From here on as before.
    assert!(catch_unwind(|| panic!("loud")).is_err());
    assert_eq!(REPORTED.load(Ordering::Relaxed), 1);
}
