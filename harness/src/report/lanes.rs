//! The rows of a sequence chart in text: a lane for each party, arrows between them.

/// Characters from one lane to the next: the longest arrow's text, `SnpRespDataFwded SC`, fits.
pub(crate) const PITCH: usize = 24;

/// Lanes with a star on one of them.
pub(crate) fn mark(lanes: usize, at: usize) -> String {
    let mut row = vec![' '; (lanes - 1) * PITCH + 1];
    for lane in 0..lanes {
        row[lane * PITCH] = if lane == at { '*' } else { '|' };
    }
    row.into_iter().collect()
}

/// Lanes with an arrow between two of them.
pub(crate) fn arrow(lanes: usize, from: usize, to: usize, label: &str) -> String {
    let mut row: Vec<char> = mark(lanes, lanes).chars().collect();
    let (left, right) = (from.min(to) * PITCH, from.max(to) * PITCH);
    for cell in &mut row[left + 1..right] {
        *cell = '-';
    }
    // The text stands at the sender's end, where it meets no lane.
    let text: Vec<char> = format!(" {label} ").chars().collect();
    let begin = if from < to {
        left + 2
    } else {
        right - 1 - text.len()
    };
    row[begin..begin + text.len()].copy_from_slice(&text);
    if from < to {
        row[right - 1] = '>';
    } else {
        row[left + 1] = '<';
    }
    row.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{PITCH, arrow, mark};

    #[test]
    fn an_arrow_spans_its_lanes_and_carries_its_text() {
        let right = arrow(3, 0, 2, "MemRead");
        assert_eq!(right.len(), 2 * PITCH + 1);
        assert!(right.starts_with("|- MemRead ---") && right.ends_with("->|"));
        let left = arrow(3, 2, 1, "Comp");
        assert_eq!(&left[..PITCH], &mark(3, 3)[..PITCH]);
        assert!(left[PITCH..].starts_with("|<--") && left.ends_with(" Comp -|"));
    }
}
