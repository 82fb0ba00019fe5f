//! Hexadecimal numbers and bytes in files.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// A number written as `"0x1000"`.
pub(crate) mod number {
    use super::*;

    /// Writes the number.
    pub(crate) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: std::fmt::LowerHex,
        S: Serializer,
    {
        serializer.collect_str(&format_args!("{value:#x}"))
    }

    /// Reads the number; too many digits are an error.
    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: TryFrom<u128>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .filter(|digits| is_hex(digits))
            .ok_or_else(|| {
                D::Error::custom(format!("\"{text}\" is no number: write it like \"0x1000\""))
            })?;
        u128::from_str_radix(digits, 16)
            .ok()
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| {
                let bits = 8 * size_of::<T>();
                D::Error::custom(format!("\"{text}\" has more than {bits} bits"))
            })
    }
}

/// A number that may be left out.
pub(crate) mod optional_number {
    use super::*;

    /// Writes the number, if there is one.
    pub(crate) fn serialize<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: std::fmt::LowerHex,
        S: Serializer,
    {
        match value {
            Some(value) => number::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the number.
    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: TryFrom<u128>,
        D: Deserializer<'de>,
    {
        number::deserialize(deserializer).map(Some)
    }
}

/// Bytes in the order of their addresses, two digits each, that may be left out.
pub(crate) mod optional_bytes {
    use super::*;
    use crate::Data;

    /// Writes the bytes, if there are any.
    pub(crate) fn serialize<S: Serializer>(
        data: &Option<Data>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match data {
            Some(data) => {
                let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&digits)
            }
            None => serializer.serialize_none(),
        }
    }

    /// Reads the bytes.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Data>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (pairs, odd) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Data> = pairs
            .iter()
            .map(|pair| {
                let digits = std::str::from_utf8(pair)
                    .ok()
                    .filter(|digits| is_hex(digits))?;
                u8::from_str_radix(digits, 16).ok()
            })
            .collect();
        match bytes {
            Some(bytes) if odd.is_empty() => Ok(Some(bytes)),
            _ => Err(D::Error::custom(format!(
                "\"{text}\" are no bytes: write two hexadecimal digits a byte, like \"2a00\""
            ))),
        }
    }
}

/// Whether the text is hexadecimal digits only.
pub(crate) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
