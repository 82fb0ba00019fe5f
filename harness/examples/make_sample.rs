//! Writes the sample trace `harness/samples/chat.jsonl` from `harness/samples/chat.txt`:
//!
//!     cargo run -p harness --example make_sample

use std::path::Path;

use harness::workload::sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let script = std::fs::read_to_string(samples.join("chat.txt"))?;
    let mut text = String::new();
    for request in sample::generate(&script, sample::SEED)? {
        text.push_str(&serde_json::to_string(&request)?);
        text.push('\n');
    }
    std::fs::write(samples.join("chat.jsonl"), text)?;
    Ok(())
}
