//! The keys that a reader trusts. They come from the reader, never from what is checked.

use std::{fs::File, io, io::Read as _, path::Path};

use serde::Deserialize;

use crate::{
    checkpoint::WITNESSES_MAX,
    note::{Algorithm, NoteError, Vkey},
};

/// The most bytes that a trust file may have.
pub const TRUST_BYTES_MAX: u64 = 64 << 10;

/// The keys of a router's two logs and of those who watch them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    receipts: Vkey,
    registry: Vkey,
    witnesses: Vec<Vkey>,
    witnesses_min: usize,
}

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("cannot read the trust file")]
    File(#[source] io::Error),
    /// Not of its form.
    #[error("the trust file is not of its form: {0}")]
    Malformed(String),
    /// A key in it.
    #[error("the trust file's `{field}`: {source}")]
    Key {
        /// Where.
        field: &'static str,
        /// Why.
        source: NoteError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u32,
    receipts: String,
    registry: String,
    witnesses: Vec<String>,
    witnesses_min: usize,
}

impl Trust {
    /// What the file at `path` says.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(TRUST_BYTES_MAX + 1).read_to_string(&mut text));
        read.map_err(TrustError::File)?;
        Self::read(&text)
    }

    /// What `json` says.
    pub fn read(json: &str) -> Result<Self, TrustError> {
        let malformed = |why: &str| Err(TrustError::Malformed(why.to_owned()));
        if json.len() as u64 > TRUST_BYTES_MAX {
            return malformed(&format!("it has more than {TRUST_BYTES_MAX} bytes"));
        }
        let written = serde_json::from_str(json).map_err(|error| TrustError::Malformed(error.to_string()))?;
        let Written { v, receipts, registry, witnesses, witnesses_min } = written;
        if v != 1 {
            return malformed("this version reads `\"v\": 1`");
        }
        let receipts = log(&receipts, "receipts")?;
        let registry = log(&registry, "registry")?;
        if router(&receipts, "receipts") != router(&registry, "registry") {
            return malformed("`receipts` and `registry` are logs of two routers");
        }
        if witnesses.len() > WITNESSES_MAX {
            return malformed(&format!("it names more than {WITNESSES_MAX} witnesses"));
        }
        let witnesses: Vec<Vkey> = witnesses
            .iter()
            .map(|vkey| vkey_of(vkey, "witnesses", Algorithm::Cosignature))
            .collect::<Result<_, _>>()?;
        let same = |one: &Vkey, other: &Vkey| one.key() == other.key() || one.name() == other.name();
        let twice =
            (1..witnesses.len()).any(|at| witnesses[..at].iter().any(|one| same(one, &witnesses[at])));
        if twice {
            return malformed("it names a witness twice");
        }
        if witnesses_min > witnesses.len() {
            return malformed("`witnesses_min` is more than there are witnesses");
        }
        Ok(Self { receipts, registry, witnesses, witnesses_min })
    }

    /// The key of the log of receipts, which signs receipts, too.
    pub fn receipts(&self) -> &Vkey {
        &self.receipts
    }

    /// The key of the registry's log.
    pub fn registry(&self) -> &Vkey {
        &self.registry
    }

    /// The keys of the witnesses, at most [`WITNESSES_MAX`].
    pub fn witnesses(&self) -> &[Vkey] {
        &self.witnesses
    }

    /// How many witnesses must have signed a checkpoint.
    pub fn witnesses_min(&self) -> usize {
        self.witnesses_min
    }

    /// The key of the log with this origin, where it is one of the two.
    pub fn log(&self, origin: &str) -> Option<&Vkey> {
        [&self.receipts, &self.registry].into_iter().find(|log| log.name() == origin)
    }
}

/// The name of the router whose log of this `kind` has this key.
fn router<'a>(log: &'a Vkey, kind: &str) -> Option<&'a str> {
    log.name().strip_suffix(kind)?.strip_suffix('/').filter(|name| !name.is_empty())
}

fn log(vkey: &str, kind: &'static str) -> Result<Vkey, TrustError> {
    let vkey = vkey_of(vkey, kind, Algorithm::Ed25519)?;
    if router(&vkey, kind).is_some() {
        Ok(vkey)
    } else {
        Err(TrustError::Malformed(format!("the key `{kind}` must have a name that ends with `/{kind}`")))
    }
}

fn vkey_of(vkey: &str, field: &'static str, algorithm: Algorithm) -> Result<Vkey, TrustError> {
    let vkey: Vkey = vkey.parse().map_err(|source| TrustError::Key { field, source })?;
    if vkey.algorithm() == algorithm {
        Ok(vkey)
    } else {
        Err(TrustError::Key { field, source: NoteError::Algorithm(vkey.algorithm() as u8) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    fn vkey(name: &str, algorithm: Algorithm) -> String {
        let key = SecretKey::generate().unwrap();
        Vkey::new(name, algorithm, key.public()).unwrap().to_string()
    }

    #[track_caller]
    fn refused(json: &str, part: &str) {
        let error = Trust::read(json).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_trust_file_says_whom_to_trust() {
        let (receipts, registry) =
            (vkey("r/receipts", Algorithm::Ed25519), vkey("r/registry", Algorithm::Ed25519));
        let (one, other) = (vkey("w1", Algorithm::Cosignature), vkey("w2", Algorithm::Cosignature));
        let file = |receipts: &str, registry: &str, witnesses: &str, min: u8| {
            format!(
                r#"{{"v":1,"receipts":"{receipts}","registry":"{registry}","witnesses":[{witnesses}],"witnesses_min":{min}}}"#
            )
        };
        let witnesses = format!(r#""{one}", "{other}""#);
        let json = file(&receipts, &registry, &witnesses, 1);
        let trust = Trust::read(&json).unwrap();
        assert_eq!(trust.receipts().to_string(), receipts);
        assert_eq!(trust.log("r/registry"), Some(trust.registry()));
        assert_eq!((trust.witnesses().len(), trust.witnesses_min()), (2, 1));

        refused(&file(&receipts, &registry, &witnesses, 3), "more than there are witnesses");
        refused(&file(&receipts, &registry, &format!(r#""{one}","{one}""#), 1), "a witness twice");
        refused(&file(&registry, &receipts, "", 0), "ends with `/receipts`");
        refused(&file(&receipts, &vkey("s/registry", Algorithm::Ed25519), "", 0), "two routers");
        refused(&file(&receipts, &one, "", 0), "`registry`: keys of algorithm 4");
        refused(&file(&receipts, &registry, &format!(r#""{receipts}""#), 0), "`witnesses`");
        refused(&json.replace(r#""v":1"#, r#""v":2"#), "reads");
        refused(&json.replacen(r#""v":1"#, r#""v":1,"v":1"#, 1), "duplicate");
        refused(&json.replacen(r#""v":1"#, r#""v":1,"more":1"#, 1), "unknown field");
        refused(&" ".repeat(70_000), "more than");
    }
}
