//! The sample trace, and how it is made from written conversations.
//!
//! `harness/samples/chat.txt` holds conversations between users and four assistants. Each assistant
//! has a system prompt that all its conversations share, and each conversation is held by several
//! users who differ in one detail, so that prompts share prefixes of every length, as they do in
//! a serving system. [`generate`] turns them into requests:
//!
//! * a request is one user message: its prompt is the system prompt, all messages before it and
//!   the message itself, each introduced by a token that names who speaks;
//! * a token is a run of letters and digits, or one other character that is not white space
//!   (no vocabulary is needed, and a word is close to what real tokenisers make of plain English);
//! * the prompt is cut into blocks of [`TOKENS_PER_BLOCK`] tokens, the last one possibly partial;
//! * a block's digest is the SHA-256 of the previous block's digest and its own tokens, and its
//!   identifier is the order in which the digest was first seen;
//! * sessions start and users answer at times drawn from a seeded generator, in whole milliseconds.
//!
//! The trace in the repository is what `cargo run -p harness --example make_sample` writes.

use std::collections::BTreeMap;

use rand_pcg::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::trace::{Request, Trace};

/// The seed of the sample in the repository.
pub const SEED: u64 = 1;

/// Tokens in a block of the sample.
pub const TOKENS_PER_BLOCK: usize = 16;

/// The sample trace, as lines of JSON.
pub const CHAT: &str = include_str!("../../samples/chat.jsonl");

/// The sample trace, cut to its first `limit` requests.
pub fn chat(limit: usize) -> Trace {
    Trace::read("the built-in sample", CHAT.as_bytes(), limit)
        .expect("the sample in the repository is a trace; a test reads all of it")
}

/// Mean time from one session's start to the next, in milliseconds.
const SESSION_GAP_MS: u64 = 600;
/// Least and mean time a user takes to read an answer and to write the next message.
const THINK_MS: (u64, u64) = (2_000, 8_000);
/// Time the model takes to write one token.
const TOKEN_MS: u64 = 25;

/// Who speaks a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    User,
    Assistant,
}

/// A conversation of one user: messages in order, the first of them the system prompt.
type Session = Vec<(Speaker, String)>;

/// Makes the requests of the conversations in `script`; the same `script` and `seed` make the same
/// requests on every machine.
///
/// # Errors
///
/// A sentence with the line of `script` that is not in the form that its own head describes.
pub fn generate(script: &str, seed: u64) -> Result<Vec<Request>, String> {
    let sessions = parse(script)?;
    let mut rng = rand_pcg::Pcg32::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, below(&mut rng, i as u64 + 1) as usize);
    }
    // (time, session, turn, prompt, answer): sorted by time, the rest only breaks ties.
    let mut turns = Vec::new();
    let mut start = 0;
    for (number, &session) in order.iter().enumerate() {
        let mut time = start;
        let messages = &sessions[session];
        let mut prompt = Vec::new();
        for (turn, (speaker, text)) in messages.iter().enumerate() {
            prompt.push(format!("<{speaker:?}>"));
            prompt.extend(tokens(text).map(str::to_string));
            if *speaker == Speaker::User {
                let answer = messages.get(turn + 1).map_or(0, |m| tokens(&m.1).count());
                turns.push((time, number, turn, prompt.clone(), answer));
                let (least, mean) = THINK_MS;
                let thinking = least + below(&mut rng, 2 * (mean - least));
                time += thinking + TOKEN_MS * answer as u64;
            }
        }
        start += below(&mut rng, 2 * SESSION_GAP_MS);
    }
    turns.sort();
    let mut seen = BTreeMap::new();
    let requests = turns
        .into_iter()
        .map(|(timestamp, session, _, prompt, answer)| Request {
            timestamp,
            session: Some(session as u64),
            input_length: prompt.len() as u64,
            output_length: answer as u64,
            hash_ids: block_ids(&prompt, &mut seen),
        });
    Ok(requests.collect())
}

/// A number below `bound`, uniform up to the generator's 32 bits.
fn below(rng: &mut rand_pcg::Pcg32, bound: u64) -> u64 {
    (u64::from(rng.next_u32()) * bound) >> 32
}

/// Runs of letters and digits, and single other characters that are not white space.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// The identifiers of the prompt's blocks; `seen` holds those given so far by digest.
fn block_ids(prompt: &[String], seen: &mut BTreeMap<[u8; 32], u64>) -> Vec<u64> {
    let mut digest = [0; 32];
    let blocks = prompt.chunks(TOKENS_PER_BLOCK).map(|block| {
        let mut hash = Sha256::new_with_prefix(digest);
        for token in block {
            hash.update(token.as_bytes());
            // No token holds white space, so a space keeps "ab c" and "a bc" apart.
            hash.update(b" ");
        }
        digest = hash.finalize().into();
        let next = seen.len() as u64;
        *seen.entry(digest).or_insert(next)
    });
    blocks.collect()
}

/// The sessions of a script in its order, with each conversation's values put in.
fn parse(script: &str) -> Result<Vec<Session>, String> {
    let mut systems: BTreeMap<&str, String> = BTreeMap::new();
    let mut chats: Vec<(Vec<&str>, Session)> = Vec::new();
    // The system prompt being read, when no conversation has begun since.
    let mut system: Option<&str> = None;
    for (index, line) in script.lines().enumerate() {
        let fail = |what: &str| Err(format!("line {}: {what}", index + 1));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let in_chat = system.is_none();
        match (word, chats.last_mut()) {
            ("#" | "", _) => {}
            ("system", _) => {
                system = Some(rest);
                systems.insert(rest, String::new());
            }
            ("chat", _) => {
                let Some(prompt) = systems.get(rest) else {
                    return fail("no such system prompt above");
                };
                system = None;
                chats.push((vec![""], vec![(Speaker::System, prompt.clone())]));
            }
            ("each", Some(chat)) if in_chat => chat.0 = rest.split(" | ").collect(),
            ("user" | "assistant", Some(chat)) if in_chat && rest.is_empty() => {
                let speaker = match word {
                    "user" => Speaker::User,
                    _ => Speaker::Assistant,
                };
                chat.1.push((speaker, String::new()));
            }
            (_, Some((_, messages))) if in_chat => match messages.last_mut() {
                Some((Speaker::User | Speaker::Assistant, text)) => {
                    text.push_str(line);
                    text.push('\n');
                }
                _ => return fail("text outside of a message"),
            },
            _ => match system.and_then(|name| systems.get_mut(name)) {
                Some(text) => {
                    text.push_str(line);
                    text.push('\n');
                }
                None => return fail("text outside of a system prompt or conversation"),
            },
        }
    }
    let sessions = chats.into_iter().flat_map(|(values, messages)| {
        values.into_iter().map(move |value| {
            let put_in =
                |(speaker, text): &(Speaker, String)| (*speaker, text.replace("{x}", value));
            messages.iter().map(put_in).collect()
        })
    });
    Ok(sessions.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = include_str!("../../samples/chat.txt");

    #[test]
    fn the_sample_in_the_repository_is_what_the_generator_makes() {
        let made = generate(SCRIPT, SEED).expect("the script is well formed");
        assert_eq!(
            made,
            chat(usize::MAX).requests,
            "run the example make_sample again"
        );
    }

    #[test]
    fn the_sample_is_a_trace_of_sixteen_token_blocks_with_shared_prefixes() {
        let trace = chat(usize::MAX);
        assert_eq!(trace.tokens_per_block, Some(TOKENS_PER_BLOCK as u64));
        assert!(trace.requests.len() >= 200, "{}", trace.requests.len());
        assert!(trace.sequential_hits() * 2 > trace.block_references());
    }

    #[test]
    fn tokens_are_words_and_single_marks() {
        let found: Vec<_> = tokens("It's 24 km,\n(é!)").collect();
        assert_eq!(found, ["It", "'", "s", "24", "km", ",", "(", "é", "!", ")"]);
    }

    #[test]
    fn a_block_identifier_stands_for_the_whole_prefix() {
        let words = |first: &str| {
            let mut all = vec!["same".to_string(); 3 * TOKENS_PER_BLOCK];
            all[TOKENS_PER_BLOCK] = first.to_string();
            all
        };
        let mut seen = BTreeMap::new();
        assert_eq!(block_ids(&words("a"), &mut seen), [0, 1, 2]);
        // Only the middle block's text differs, so the last one is new as well.
        assert_eq!(block_ids(&words("b"), &mut seen), [0, 3, 4]);
        assert_eq!(block_ids(&words("a")[..17], &mut seen), [0, 5]);
    }

    #[test]
    fn another_seed_moves_the_arrivals_and_keeps_the_prompts() {
        let lengths = |seed| {
            let requests = generate(SCRIPT, seed).expect("well formed");
            let mut all: Vec<_> = requests.iter().map(|r| r.input_length).collect();
            all.sort_unstable();
            (all, requests)
        };
        let (one, first) = lengths(1);
        let (two, second) = lengths(2);
        assert_eq!(one, two);
        assert_ne!(first, second);
    }

    #[test]
    fn a_malformed_script_is_refused_with_its_line() {
        assert!(
            generate("hello there\n", 1)
                .expect_err("bad")
                .starts_with("line 1: ")
        );
        assert!(
            generate("system a\nx\nchat b\n", 1)
                .expect_err("bad")
                .starts_with("line 3: ")
        );
        let early = "system a\nx\nchat a\nlost text\n";
        assert!(generate(early, 1).expect_err("bad").starts_with("line 4: "));
    }
}
