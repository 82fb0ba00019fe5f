//! Whether a model looks at nothing but the rising edge of its clock.
//!
//! Then a cycle needs one evaluation instead of two: inputs settle in the one that sees the edge, and
//! lowering the clock is a matter of forgetting it. What the generated code mentions decides; where it
//! mentions the clock in a way that is not known here, a cycle stays two evaluations.

/// The member in which a model remembers the level of its clock, if all it does with the clock is
/// look for rising edges. `sources` is the code of its evaluations, `clock` the member of the port.
pub fn remembered<'a>(sources: impl Iterator<Item = &'a str>, clock: &str) -> Option<String> {
    let member = format!("vlSelf->{clock}");
    let remembered = format!("__Vtrigrprev__TOP__{clock}");
    let (mut rising, mut kept) = (0, 0);
    for line in sources.flat_map(str::lines).map(str::trim) {
        let mentions = line
            .match_indices(&member)
            .filter(|(at, _)| !continues(&line[at + member.len()..]))
            .count();
        if mentions == 0 {
            continue;
        }
        let trigger = format!("vlSelf->__VactTriggered.at(0U) = ((IData)({member})");
        if line == format!("if (VL_UNLIKELY(({member} & 0xfeU))) {{") {
            // A check of the caller.
        } else if line == trigger {
            rising += 1;
        } else if line == format!("vlSelf->{remembered} = {member};") {
            kept += 1;
        } else {
            return None;
        }
    }
    (rising == 1 && kept == 1).then_some(remembered)
}

/// Whether a name goes on here.
fn continues(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::remembered;

    const RISING: &str = "
    vlSelf->__VactTriggered.at(0U) = ((IData)(vlSelf->clk)
                                      & (~ (IData)(vlSelf->__Vtrigrprev__TOP__clk)));
    vlSelf->__Vtrigrprev__TOP__clk = vlSelf->clk;
    if (VL_UNLIKELY((vlSelf->clk & 0xfeU))) {
    vlSelf->clk_count = vlSelf->clk_enable;
";

    #[test]
    fn a_rising_edge_alone_is_recognised() {
        let found = remembered([RISING].into_iter(), "clk");
        assert_eq!(found.as_deref(), Some("__Vtrigrprev__TOP__clk"));
        assert_eq!(remembered([""].into_iter(), "clk"), None, "no edge at all");
    }

    #[test]
    fn any_other_use_of_the_clock_is_not() {
        for other in [
            "vlSelf->q = (vlSelf->clk & vlSelf->d);",
            "vlSelf->__VactTriggered.at(1U) = ((~ (IData)(vlSelf->clk)) ",
            "vlSelf->__VactTriggered.at(1U) = ((IData)(vlSelf->clk) ^ x",
        ] {
            assert_eq!(
                remembered([RISING, other].into_iter(), "clk"),
                None,
                "{other}"
            );
        }
    }
}
