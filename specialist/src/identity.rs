//! Who a specialist is to whoever checks its words: the key with which it signs, and the keys before it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use audit::{
    KeyError, Kind, PublicKey, SecretKey, signed,
    succession::{self, SUCCESSIONS_MAX},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message as _;
use proto::{config::SpecialistConfig, wire};

/// The variable of the environment that holds the key, or names its file. It counts before the settings.
pub const VARIABLE: &str = "CONSILIUM_SPECIALIST_KEY";

/// The most bytes that the file of a succession may have.
const SUCCESSION_BYTES_MAX: u64 = 4096;

/// Where a new key goes that nobody named a file for, beside the settings.
const KEY_FILE: &str = "specialist.key";

/// Why a specialist cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key that was named is not there.
    #[error("there is no key {path}: make it with `specialist keygen --out {path}`, or name another", path = .0.display())]
    Missing(PathBuf),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no key to follow, or to lead to.
    #[error("there is no key: make one with `specialist keygen`, and set `key`")]
    Keyless,
    /// More earlier keys are named than a router reads.
    #[error("successions: has {0} entries, where 0 to {SUCCESSIONS_MAX} are allowed: leave out the oldest")]
    TooMany(usize),
    /// The file of a succession cannot be read or written.
    #[error("cannot open the succession {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no succession of this specialist.
    #[error("{} is no succession of this specialist: name the file that `specialist rotate` wrote", .0.display())]
    Malformed(PathBuf),
    /// The successions do not lead to the key.
    #[error("{} leads to another key than the next one: name all successions, the oldest first", .0.display())]
    Broken(PathBuf),
}

/// The key of a specialist, and what leads to it from those before.
#[derive(Debug, Clone)]
pub struct Identity {
    key: SecretKey,
    successions: Arc<[wire::Signed]>,
}

impl Identity {
    /// The identity that `variable`, the content of [`VARIABLE`], or else the settings in `folder` name; `None`
    /// where neither names a key.
    pub fn load(
        config: &SpecialistConfig,
        folder: &Path,
        variable: Option<&str>,
    ) -> Result<Option<Self>, IdentityError> {
        let key = match (variable, &config.key) {
            (Some(pem), _) if pem.trim_start().starts_with("-----BEGIN") => SecretKey::read(VARIABLE, pem)?,
            (Some(path), _) => load(Path::new(path))?,
            (None, Some(path)) => load(&folder.join(path))?,
            (None, None) if config.successions.is_empty() => return Ok(None),
            (None, None) => return Err(IdentityError::Keyless),
        };
        let successions = successions(config, folder, &key.public())?.into();
        Ok(Some(Self { key, successions }))
    }

    /// The key.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// What leads to it from the keys before, the oldest first.
    pub fn successions(&self) -> &[wire::Signed] {
        &self.successions
    }
}

fn load(path: &Path) -> Result<SecretKey, IdentityError> {
    match SecretKey::load(path) {
        Err(KeyError::File { path, source }) if source.kind() == io::ErrorKind::NotFound => {
            Err(IdentityError::Missing(path))
        }
        loaded => Ok(loaded?),
    }
}

/// The successions that the settings in `folder` name, if each leads to the next and the last one to `key`.
fn successions(
    config: &SpecialistConfig,
    folder: &Path,
    key: &PublicKey,
) -> Result<Vec<wire::Signed>, IdentityError> {
    let paths: Vec<PathBuf> = config.successions.iter().map(|path| folder.join(path)).collect();
    if paths.len() > SUCCESSIONS_MAX {
        return Err(IdentityError::TooMany(paths.len()));
    }
    let mut read = Vec::new();
    for path in paths {
        let signed = read_succession(&path)?;
        let step = succession::step(&config.id, &signed);
        read.push((signed, step.ok_or_else(|| IdentityError::Malformed(path.clone()))?, path));
    }
    for (at, (_, (_, leads_to), path)) in read.iter().enumerate() {
        let next = read.get(at + 1).map_or(key, |(_, (next, _), _)| next);
        if leads_to != next {
            return Err(IdentityError::Broken(path.clone()));
        }
    }
    Ok(read.into_iter().map(|(signed, ..)| signed).collect())
}

fn read_succession(path: &Path) -> Result<wire::Signed, IdentityError> {
    let failed = |source| IdentityError::File { path: path.to_owned(), source };
    let malformed = || IdentityError::Malformed(path.to_owned());
    if fs::metadata(path).map_err(failed)?.len() > SUCCESSION_BYTES_MAX {
        return Err(malformed());
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let bytes = STANDARD.decode(text.trim()).map_err(|_| malformed())?;
    signed::canonical(&bytes).map_err(|_| malformed())
}

/// Makes a key in a new file: `out`, or where the settings at `config` say, or beside them. What it did and what
/// to do next, as lines.
pub fn keygen(config: &Path, out: Option<PathBuf>) -> Result<String, crate::Error> {
    let (file, next) = if let Some(file) = out {
        (file, format!("set `key` in specialist.toml, or {VARIABLE}, to this file"))
    } else {
        let named = serve::config::load::<SpecialistConfig>(config)?.key;
        let next = match named {
            Some(_) => "the settings name it already".to_owned(),
            None => format!("put `key = \"{KEY_FILE}\"` into {}", config.display()),
        };
        let folder = config.parent().unwrap_or(Path::new(""));
        (folder.join(named.unwrap_or_else(|| KEY_FILE.into())), next)
    };
    let key = SecretKey::generate().map_err(IdentityError::from)?;
    key.save(&file).map_err(IdentityError::from)?;
    Ok(format!(
        "public key: {}\nwrote {}: keep it secret, and a copy of it where only you get at it\nnext: {next}; \
         start the specialist again",
        key.public(),
        file.display()
    ))
}

/// Makes the key in the new file `out` that follows the one in the settings at `config`, which are read already,
/// and beside it what leads there. What it did and what to do next, as lines.
pub fn rotate(
    config: &Path,
    settings: &SpecialistConfig,
    identity: Option<&Identity>,
    out: &Path,
) -> Result<String, IdentityError> {
    let old = &identity.ok_or(IdentityError::Keyless)?.key;
    let new = SecretKey::generate()?;
    new.save(out)?;
    let succession = wire::Succession {
        specialist_id: settings.id.clone(),
        old_public_key: old.public().as_bytes().to_vec(),
        new_public_key: new.public().as_bytes().to_vec(),
    };
    let signed = signed::sign(old, Kind::Succession, succession.encode_to_vec());
    let mut beside = out.as_os_str().to_owned();
    beside.push(".succession");
    let beside = PathBuf::from(beside);
    let failed = |source| IdentityError::File { path: beside.clone(), source };
    let mut file = fs::File::create(&beside).map_err(failed)?;
    writeln!(file, "{}", STANDARD.encode(signed.encode_to_vec())).map_err(failed)?;

    let folder = config.parent().unwrap_or(Path::new(""));
    // As the settings name it: from where they lie.
    let named = |path: &Path| {
        let outside = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        path.strip_prefix(folder).map_or_else(|_| outside(), Path::to_owned).display().to_string()
    };
    let kept = settings.successions.len().saturating_sub(SUCCESSIONS_MAX - 1);
    let earlier = settings.successions.iter().skip(kept).map(|path| path.display().to_string());
    let successions: Vec<String> = earlier.chain([named(&beside)]).collect();
    Ok(format!(
        "public key: {}\nwrote {} and {}\nnext: set in {}, and start the specialist again:\nkey = {:?}\n\
         successions = {successions:?}\nWhere {VARIABLE} is set, it counts before `key`. Destroy the old key once \
         the router shows the new one.",
        new.public(),
        out.display(),
        beside.display(),
        config.display(),
        named(out),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Settings, config::Overrides, error::chain};

    const TOML: &str = "id = \"a\"\ntitle = \"A\"\ninstitution = \"B\"\ndescription = \"C\"\n\
        license = \"MIT\"\nlisten = \"127.0.0.1:0\"\ncorpus = \"c\"\n";

    /// A folder with settings.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.set("");
            folder
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn set(&self, more: &str) {
            fs::write(self.path("specialist.toml"), format!("{TOML}{more}")).unwrap();
        }

        fn loads_with(&self, key: Option<String>) -> Result<Option<Identity>, String> {
            let overrides = Overrides { key, ..Overrides::default() };
            let settings = Settings::load(&self.path("specialist.toml"), overrides);
            let root = format!("{}/", self.0.path().display());
            settings.map(|settings| settings.identity).map_err(|error| chain(&error).replace(&root, ""))
        }

        fn loads(&self) -> Result<Option<Identity>, String> {
            self.loads_with(None)
        }

        /// The lines to put into the settings.
        fn rotates(&self, out: &str) -> String {
            let settings = Settings::load(&self.path("specialist.toml"), Overrides::default()).unwrap();
            let (config, out) = (self.path("specialist.toml"), self.path(out));
            let said = rotate(&config, &settings.config, settings.identity.as_ref(), &out).unwrap();
            said.lines()
                .filter(|line| line.starts_with("key = ") || line.starts_with("successions = "))
                .map(|line| format!("{line}\n"))
                .collect()
        }
    }

    #[test]
    fn a_key_is_made_named_and_found() {
        let folder = Folder::new();
        assert!(folder.loads().unwrap().is_none());
        let said = keygen(&folder.path("specialist.toml"), None).unwrap();
        folder.set("key = \"specialist.key\"");
        let key = folder.loads().unwrap().unwrap().key().public();
        assert!(said.starts_with(&format!("public key: {key}\n")), "{said}");
        assert!(said.contains("put `key = \"specialist.key\"` into"), "{said}");
        assert!(keygen(&folder.path("specialist.toml"), None).is_err(), "never over another");

        let pem = fs::read_to_string(folder.path("specialist.key")).unwrap();
        let path = folder.path("specialist.key").display().to_string();
        folder.set("");
        for variable in [pem, path] {
            assert_eq!(folder.loads_with(Some(variable)).unwrap().unwrap().key().public(), key);
        }
    }

    #[test]
    fn a_key_that_is_missing_open_or_none_says_what_to_do() {
        let folder = Folder::new();
        folder.set("key = \"my.key\"");
        let missing = "there is no key my.key: make it with `specialist keygen --out my.key`";
        assert!(folder.loads().unwrap_err().contains(missing), "{:?}", folder.loads());
        keygen(Path::new(""), Some(folder.path("my.key"))).unwrap();
        fs::set_permissions(folder.path("my.key"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(folder.loads().unwrap_err().contains("run `chmod 600 my.key`"));
        let bad = folder.loads_with(Some("-----BEGIN NONSENSE".into())).unwrap_err();
        assert!(bad.contains("CONSILIUM_SPECIALIST_KEY holds no Ed25519 private key"), "{bad}");
    }

    #[test]
    fn successions_lead_from_key_to_key() {
        let folder = Folder::new();
        keygen(Path::new(""), Some(folder.path("1.key"))).unwrap();
        folder.set("key = \"1.key\"");
        let first = folder.loads().unwrap().unwrap().key().public();
        folder.set(&folder.rotates("2.key"));
        let second = folder.rotates("3.key");
        let last = "key = \"3.key\"\nsuccessions = [\"2.key.succession\", \"3.key.succession\"]\n";
        assert_eq!(second, last);
        folder.set(&second);
        let identity = folder.loads().unwrap().unwrap();
        let leads = succession::chain("a", identity.successions()).unwrap();
        assert_eq!(leads, (first, identity.key().public()));

        folder.set("key = \"3.key\"\nsuccessions = [\"2.key.succession\"]");
        assert!(folder.loads().unwrap_err().contains("2.key.succession leads to another key"));
        folder.set("key = \"3.key\"\nsuccessions = [\"3.key.succession\", \"2.key.succession\"]");
        assert!(folder.loads().unwrap_err().contains("3.key.succession leads to another key"));
        folder.set("successions = [\"3.key.succession\"]");
        assert!(folder.loads().unwrap_err().contains("there is no key"));
        let renamed = second.clone();
        fs::write(folder.path("specialist.toml"), TOML.replace("\"a\"", "\"b\"") + &renamed).unwrap();
        assert!(folder.loads().unwrap_err().contains("is no succession of this specialist"));
        let many = format!("key = \"3.key\"\nsuccessions = {:?}", ["3.key.succession"; 17]);
        folder.set(&many);
        assert!(folder.loads().unwrap_err().contains("has 17 entries, where 0 to 16 are allowed"));
        let mut text = fs::read_to_string(folder.path("3.key.succession")).unwrap();
        text.replace_range(..1, if text.starts_with('A') { "B" } else { "A" });
        fs::write(folder.path("3.key.succession"), text).unwrap();
        folder.set(&second);
        assert!(folder.loads().unwrap_err().contains("3.key.succession is no succession"));
    }
}
