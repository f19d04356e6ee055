//! Ed25519 keys, and where they are kept: a PEM file of PKCS#8 that only its owner can read, or the
//! environment.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding},
};

/// The bits of a file's mode that let others than its owner in.
const OTHERS: u32 = 0o077;

/// Why there is no key. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a file already.
    #[error("{} exists already, and a key that is lost cannot be made again: name another file", .0.display())]
    Exists(PathBuf),
    /// It cannot be read or written.
    #[error("cannot open the key {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("others than its owner can open the key {path}: run `chmod 600 {path}`", path = .0.display())]
    Open(PathBuf),
    /// It is no key.
    #[error("{0} holds no Ed25519 private key in PEM: make one with `keygen`")]
    Malformed(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers for a key: {0}")]
    Random(getrandom::Error),
}

/// A key that signs. Forgotten when it is dropped.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key in the file at `path`, which nobody but its owner may open.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & OTHERS != 0 {
            return Err(KeyError::Open(path.to_owned()));
        }
        Self::read(&path.display().to_string(), &fs::read_to_string(path).map_err(failed)?)
    }

    /// The key in `pem`, which came from `origin`.
    pub fn read(origin: &str, pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem.trim());
        key.map(Self).map_err(|_| KeyError::Malformed(origin.to_owned()))
    }

    /// Writes it to a new file at `path` that only its owner can open; never over another.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::File { path: path.to_owned(), source },
        };
        // Without its public half: OpenSSL and Python read no later version of PKCS#8 than that.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|_| KeyError::Malformed(path.display().to_string()))?;
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A key that checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key with these bytes, if they are a point of the curve.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` is its over `message`, in the one form that nobody can vary.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let key = SecretKey::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(SecretKey::load(&path).unwrap().public(), key.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(key.save(&path), Err(KeyError::Exists(_))));
        let pem = fs::read_to_string(&path).unwrap();
        assert!(pem.contains("\nMC4CAQAwBQYDK2VwBCIEI"), "version 1 of PKCS#8, which everybody reads");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        SecretKey::generate().unwrap().save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SecretKey::load(&path), Err(KeyError::Open(_))));
    }

    #[test]
    fn what_is_no_key_is_not_quoted() {
        let error = SecretKey::read("CONSILIUM_KEY", "very secret").unwrap_err().to_string();
        assert!(error.starts_with("CONSILIUM_KEY holds no Ed25519 private key"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert_eq!(format!("{:?}", SecretKey::generate().unwrap()), "SecretKey(..)");
    }

    // The TypeScript verifier has no arithmetic of points, and knows them by this list.
    #[test]
    fn points_of_small_order_are_no_keys() {
        let table = include_str!("../ts/src/crypto.ts");
        let (zeros, ones) = ("00".repeat(30), "ff".repeat(30));
        let small = [
            format!("00{zeros}00"),
            format!("01{zeros}00"),
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned(),
            format!("ec{ones}7f"),
            format!("ed{ones}7f"),
            format!("ee{ones}7f"),
        ];
        for point in small {
            let mut bytes = hex::decode(&point).unwrap();
            assert!(PublicKey::read(&bytes).is_none(), "{point}");
            bytes[31] |= 0x80;
            assert!(PublicKey::read(&bytes).is_none(), "{point} with its sign");
            assert!(table.contains(&point) || point.starts_with(['0', 'e']), "{point}");
        }
    }
}
