//! Bytes as people read them in a finding.

/// The first `most` bytes in hexadecimal, lowest address first; `..` stands for the others.
pub(crate) fn hex(bytes: &[u8], most: usize) -> String {
    let shown = &bytes[..bytes.len().min(most)];
    let mut text: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    if shown.len() < bytes.len() {
        text.push_str("..");
    }
    text
}

/// `3 bytes`, `1 byte`.
pub(crate) fn count(bytes: usize) -> String {
    format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" })
}
