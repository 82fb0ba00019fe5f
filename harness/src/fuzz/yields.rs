//! What fresh inputs and changed ones bring: the kind that brings more is taken more often.
//!
//! At first fresh inputs reach more, since changed ones are near each other; later they reach what has
//! been reached. When that is depends on target and budget, so it is measured.

/// What an input's weight is multiplied by with each input of its kind after it.
const FADES: f64 = 0.98;
/// The least share of a kind, so that it can show that it has become better.
const LEAST: f64 = 1.0 / 16.0;

/// New places that an input brings, of changed ones and of fresh ones.
#[derive(Debug)]
pub(super) struct Yields([f64; 2]);

impl Default for Yields {
    fn default() -> Self {
        Yields([1.0; 2])
    }
}

impl Yields {
    /// Notes how many new places an input has reached.
    pub fn note(&mut self, fresh: bool, new: usize) {
        let mean = &mut self.0[usize::from(fresh)];
        *mean = FADES * *mean + (1.0 - FADES) * new as f64;
    }

    /// How many of the next inputs should be fresh ones, from 0 to 1.
    pub fn share_of_fresh(&self) -> f64 {
        let [changed, fresh] = self.0;
        let share = fresh / (changed + fresh).max(f64::MIN_POSITIVE);
        share.clamp(LEAST, 1.0 - LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_that_brings_more_is_taken_more_often_and_the_other_not_forgotten() {
        let mut yields = Yields::default();
        assert_eq!(yields.share_of_fresh(), 0.5);
        for _ in 0..300 {
            yields.note(true, 9);
            yields.note(false, 1);
        }
        assert!((yields.share_of_fresh() - 0.9).abs() < 0.01);
        for _ in 0..2_000 {
            yields.note(true, 0);
            yields.note(false, 1);
        }
        assert_eq!(yields.share_of_fresh(), LEAST);
        // When nothing brings anything, both are tried.
        for _ in 0..100_000 {
            yields.note(true, 0);
            yields.note(false, 0);
        }
        assert!(yields.share_of_fresh() >= LEAST);
    }
}
