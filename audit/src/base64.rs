//! Bytes in JSON: standard base64 with padding, in the one form that nobody can vary.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes that JSON carries as base64; `T` says how many. Not printed, since they may be a salt.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Base64<T>(pub T);

impl<T: AsRef<[u8]>> Serialize for Base64<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de, T: TryFrom<Vec<u8>>> Deserialize<'de> for Base64<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| D::Error::custom("no base64"))?;
        T::try_from(bytes).map(Self).map_err(|_| D::Error::custom("another number of bytes"))
    }
}

impl<T> std::fmt::Debug for Base64<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Base64(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_form_is_read() {
        let read = |json: &str| serde_json::from_str::<Base64<Vec<u8>>>(json);
        assert_eq!(read("\"/+8=\"").unwrap(), Base64(vec![0xff, 0xef]));
        for other in ["/+9=", "/+8", "_-8=", "/+8=\\n", "/+8==", " /+8="] {
            assert!(read(&format!("\"{other}\"")).is_err(), "{other}");
        }
        assert!(serde_json::from_str::<Base64<[u8; 2]>>("\"/+8=\"").is_ok());
        assert!(serde_json::from_str::<Base64<[u8; 3]>>("\"/+8=\"").is_err());
    }
}
