//! The crate from outside: real weights where they are, hashed words, and folders that are wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "clippy knows only test functions as tests"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use embedding::{Embedder, Engine, LoadError, Model};
use proto::{Pooling, UnitVector};

/// The handle ends its thread when it is dropped.
fn start(model: Model) -> Embedder {
    Embedder::start(model).unwrap().0
}

async fn vector(embedder: &Embedder, text: &str) -> UnitVector {
    embedder.embed(text).await.unwrap().embedding.vector
}

mod weights {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        vector: Vec<f32>,
    }

    /// Made by `reference.py` beside it.
    fn reference() -> Vec<Case> {
        serde_json::from_str(include_str!("reference.json")).unwrap()
    }

    fn folder() -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/all-MiniLM-L6-v2");
        if !folder.exists() {
            println!("skipped: no weights, run make setup");
            return None;
        }
        Some(folder)
    }

    #[tokio::test]
    async fn vectors_are_those_of_sentence_transformers() {
        let Some(folder) = folder() else { return };
        for engine in [Engine::Candle, Engine::Packed] {
            match Model::load_with(&folder, Some(engine)) {
                Ok(model) => matches_the_reference(&start(model), engine).await,
                Err(error @ LoadError::Engine { .. }) => println!("skipped: {error}"),
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn matches_the_reference(embedder: &Embedder, engine: Engine) {
        println!("{}", embedder.backend().engine);
        assert!(embedder.backend().engine.starts_with(&engine.to_string()));
        let space = embedder.space();
        assert_eq!((space.encoder.as_str(), space.prefix.as_str()), ("all-MiniLM-L6-v2", ""));
        assert_eq!((space.pooling, space.dimension), (Pooling::Mean, 384));
        assert_eq!(
            space.weights.to_string(),
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        );
        for Case { text, vector: expected } in reference() {
            let cosine = vector(embedder, &text).await.cosine(&UnitVector::scale(expected).unwrap());
            println!("{cosine:.7}");
            assert!(cosine >= 0.9999, "{cosine} for {text}");
        }
    }

    #[tokio::test]
    async fn company_in_the_batch_changes_nothing() {
        let Some(folder) = folder() else { return };
        let embedder = start(Model::load(&folder).unwrap());
        let mut texts: Vec<String> = reference().into_iter().map(|case| case.text).collect();
        // Lengths near each other, so that they share batches with padding.
        texts.extend((1..20).map(|words| "the tide was low ".repeat(words)));
        let together = embedder.embed_all(&texts, |_| {}).await.unwrap();
        for (text, together) in texts.iter().zip(&together) {
            let cosine = vector(&embedder, text).await.cosine(together);
            assert!(cosine >= 0.99999, "{cosine} for {text}");
        }
    }

    #[tokio::test]
    async fn pooling_and_prefix_are_the_folders_own() {
        let Some(folder) = folder() else { return };
        let plain = start(Model::load(&folder).unwrap());
        let dir = tempfile::tempdir().unwrap();
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            fs::copy(folder.join(file), dir.path().join(file)).unwrap();
        }
        let prompts = r#"{"prompts": {"query": "query: "}, "default_prompt_name": "query"}"#;
        fs::write(dir.path().join("config_sentence_transformers.json"), prompts).unwrap();

        // Without modules the pooling is the mean, and vectors are units all the same.
        let prefixed = start(Model::load(dir.path()).unwrap());
        assert_eq!((prefixed.space().pooling, prefixed.space().prefix.as_str()), (Pooling::Mean, "query: "));
        let expected = vector(&plain, "query: tide").await;
        assert!(vector(&prefixed, "tide").await.cosine(&expected) > 0.999_999);
        assert_eq!(prefixed.count_tokens("tide").unwrap(), plain.count_tokens("query: tide").unwrap());

        fs::create_dir(dir.path().join("1_Pooling")).unwrap();
        fs::write(dir.path().join("1_Pooling/config.json"), r#"{"pooling_mode_cls_token": true}"#).unwrap();
        let first = start(Model::load(dir.path()).unwrap());
        assert_eq!(first.space().pooling, Pooling::Cls);
        assert_ne!(first.space(), prefixed.space());
        assert!(vector(&first, "tide").await.cosine(&expected) < 0.99);
    }

    #[tokio::test]
    async fn a_network_that_packed_cannot_do_is_left_to_candle() {
        let Some(folder) = folder() else { return };
        let dir = tempfile::tempdir().unwrap();
        for file in ["tokenizer.json", "model.safetensors"] {
            fs::copy(folder.join(file), dir.path().join(file)).unwrap();
        }
        let config = fs::read_to_string(folder.join("config.json")).unwrap();
        fs::write(dir.path().join("config.json"), config.replace("\"gelu\"", "\"relu\"")).unwrap();
        assert_eq!(start(Model::load(dir.path()).unwrap()).backend().engine, "candle");
        let error = Model::load_with(dir.path(), Some(Engine::Packed)).err().unwrap();
        assert!(matches!(error, LoadError::Engine { .. }));
        assert!(error.to_string().contains(" cannot run on engine packed: "), "{error}");
    }

    #[tokio::test]
    async fn tokens_are_counted_without_padding_and_in_full() {
        let Some(folder) = folder() else { return };
        let embedder = start(Model::load(&folder).unwrap());
        assert_eq!(embedder.count_tokens("").unwrap(), 2);
        assert_eq!(embedder.count_tokens("Lighthouse").unwrap(), 3);
        assert_eq!(embedder.count_tokens(&"tide ".repeat(1_000)).unwrap(), 1_002);
        // What comes after 254 tokens and two marks is not read.
        let cut = vector(&embedder, &"tide ".repeat(254)).await;
        assert!(vector(&embedder, &format!("{} boat", "tide ".repeat(254))).await.cosine(&cut) > 0.999_999);
        assert!(vector(&embedder, &format!("{} boat", "tide ".repeat(253))).await.cosine(&cut) < 0.999_999);
        assert!(embedder.embed("").await.is_ok());
    }
}

mod engines {
    use super::*;

    #[test]
    fn names() {
        for engine in [Engine::Candle, Engine::Packed] {
            assert_eq!(engine.to_string().parse(), Ok(engine));
        }
        let message = "fast".parse::<Engine>().unwrap_err().to_string();
        assert_eq!(message, "no engine \"fast\": there are candle and packed");
    }
}

mod hashed {
    use super::*;

    #[tokio::test]
    async fn texts_that_share_words_are_near() {
        let embedder = start(Model::hashed());
        let question = vector(&embedder, "Which vaccines does a newborn child need?").await;
        let near = vector(&embedder, "A newborn is given three vaccines in the first month.").await;
        let inflected = vector(&embedder, "Vaccination of children").await;
        let far = vector(&embedder, "The tenant pays the deposit to the landlord").await;
        let cosines = [&near, &inflected, &far].map(|other| question.cosine(other));
        assert!(cosines[0] > cosines[2] + 0.2, "{cosines:?}");
        assert!(cosines[1] > cosines[2] + 0.1, "{cosines:?}");
    }

    #[tokio::test]
    async fn vectors_are_units_and_the_same_every_time() {
        let embedder = start(Model::hashed());
        assert_eq!(embedder.space().as_ref(), Model::hashed().space().as_ref());
        assert_eq!((embedder.space().encoder.as_str(), embedder.space().dimension), ("hashed", 256));
        for text in ["", "  ", "?!", "a", "Größe", "東京タワー", "the same the same the same"] {
            let once = vector(&embedder, text).await;
            assert!((once.cosine(&once) - 1.0).abs() < 1e-6, "{text:?}");
            assert_eq!(once, vector(&start(Model::hashed()), text).await, "{text:?}");
        }
        let once = vector(&embedder, "the same").await;
        assert_eq!(once, vector(&embedder, "The SAME, the same!").await);
    }
}

mod folders {
    use super::*;

    const BERT: &str = r#"{"model_type": "bert", "vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 1, "intermediate_size": 4, "hidden_act": "gelu", "hidden_dropout_prob": 0,
        "max_position_embeddings": 512, "type_vocab_size": 2, "initializer_range": 0, "layer_norm_eps": 0,
        "pad_token_id": 0}"#;

    /// Loads a folder of `files`; the message begins with the folder's name, given as `DIR`.
    #[track_caller]
    fn refuses(files: &[(&str, &str)], expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let message = Model::load(dir.path()).err().unwrap().to_string();
        let root = dir.path().canonicalize().unwrap();
        let message = message.replace(root.to_str().unwrap(), "DIR");
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn no_folder() {
        let message = Model::load(Path::new("no/such/folder")).err().unwrap().to_string();
        let expected = "no/such/folder not found: run `make setup`, or name a folder with --model";
        assert_eq!(message, expected);
    }

    #[test]
    fn an_empty_folder() {
        refuses(&[], "DIR/config.json not found: run `make setup`, or name a folder with --model");
    }

    #[test]
    fn broken_json() {
        refuses(&[("config.json", "{\"model_type\": ")], "DIR/config.json is broken: EOF while parsing");
        let incomplete = r#"{"model_type": "bert"}"#;
        refuses(&[("config.json", incomplete)], "DIR/config.json is broken: missing field `vocab_size`");
        refuses(&[("config.json", BERT), ("modules.json", "[")], "DIR/modules.json is broken: EOF");
        refuses(&[("config.json", BERT), ("tokenizer.json", "{}")], "DIR/tokenizer.json is broken: ");
    }

    #[test]
    fn another_family() {
        let expected = r#"DIR/config.json has model_type "distilbert": only "bert" is supported"#;
        refuses(&[("config.json", r#"{"model_type": "distilbert"}"#)], expected);
    }

    #[test]
    fn steps_after_the_network() {
        let pooling = r#"{"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true}"#;
        let expected = "DIR/1_Pooling/config.json wants pooling [max_tokens, mean_tokens]: only mean and cls";
        refuses(&[("config.json", BERT), ("1_Pooling/config.json", pooling)], expected);
        let pooling = r#"{"pooling_mode": "lasttoken"}"#;
        let expected = "DIR/1_Pooling/config.json wants pooling [lasttoken]: only mean and cls";
        refuses(&[("config.json", BERT), ("1_Pooling/config.json", pooling)], expected);
        let modules = r#"[{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#;
        let expected = "DIR/modules.json names module sentence_transformers.models.Dense: only Transformer";
        refuses(&[("config.json", BERT), ("modules.json", modules)], expected);
    }

    #[test]
    fn no_weights() {
        refuses(&[("config.json", BERT)], "DIR/tokenizer.json not found: run `make setup`");
    }
}
