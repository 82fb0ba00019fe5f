//! One seed decides everything: streams of random numbers derived from it and a name.

use rand_pcg::Pcg64Mcg;

/// The stream `name` of a seed. Streams of different names are independent, so adding one changes
/// no other.
pub fn stream(seed: u64, name: &str) -> Pcg64Mcg {
    // FNV-1a of the name, then both halves of the state mixed from it and the seed.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let low = mix(seed ^ mix(hash));
    let high = mix(low ^ hash);
    Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low))
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn a_stream_is_a_function_of_seed_and_name() {
        let first = |seed, name| stream(seed, name).random::<u64>();
        assert_eq!(first(7, "stall 0"), first(7, "stall 0"));
        assert_ne!(first(7, "stall 0"), first(7, "stall 1"));
        assert_ne!(first(7, "stall 0"), first(8, "stall 0"));
        assert_ne!(first(0, ""), first(1, ""));
    }
}
