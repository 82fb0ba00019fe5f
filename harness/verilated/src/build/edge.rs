//! Whether a model looks at nothing but the rising edge of its clock.
//!
//! Then a cycle needs one evaluation instead of two. An evaluation first lets the inputs settle, then
//! looks for edges, then lets what registers changed settle: with the inputs of the new cycle and the
//! clock high, that is all that the low half and the high half do one after the other. Three things
//! would tell the two apart, and each keeps a model at two evaluations: logic that reads the clock as
//! a value, another edge of it, and any other event (an asynchronous reset, a second clock), which
//! would meet the rising edge in one evaluation but come before it in two.
//!
//! What the generated code says decides. The forms known here are those of Verilator 5.006; where
//! another version writes anything else, a cycle stays two evaluations.

/// The member in which a model remembers the level of its clock, if all it does with the clock is
/// look for rising edges, and it looks for nothing else. `sources` is the code of its evaluations,
/// `clock` the member of the port.
pub fn remembered<'a>(sources: impl Iterator<Item = &'a str>, clock: &str) -> Option<String> {
    let remembered = format!("__Vtrigrprev__TOP__{clock}");
    let known = [
        // The only event.
        format!(
            "vlSelf->__VactTriggered.at(0U) = ((IData)(vlSelf->{clock}) \
             & (~ (IData)(vlSelf->{remembered})));"
        ),
        format!("vlSelf->{remembered} = vlSelf->{clock};"),
        // A check of the caller.
        format!(
            "if (VL_UNLIKELY((vlSelf->{clock} & 0xfeU))) {{ Verilated::overWidthError(\"{clock}\");}}"
        ),
    ];
    let (mut clocks, mut events, mut seen) = (0, 0, [0; 3]);
    for source in sources {
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        clocks += mentions(&source, clock);
        events += source.matches("__VactTriggered.at(").count();
        for (seen, known) in seen.iter_mut().zip(&known) {
            *seen += source.matches(known.as_str()).count();
        }
    }
    // Every mention is one of those: one in each of the first two, two in the check.
    let rising = seen[..2] == [1, 1] && events == 1 && clocks == 2 + 2 * seen[2];
    rising.then_some(remembered)
}

/// How often a name stands in a text as a whole word.
fn mentions(text: &str, name: &str) -> usize {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name)
        .filter(|(at, _)| {
            !text[..*at].ends_with(part) && !text[at + name.len()..].starts_with(part)
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::remembered;

    const RISING: &str = "
    vlSelf->__VactTriggered.at(0U) = ((IData)(vlSelf->clk)
                                      & (~ (IData)(vlSelf->__Vtrigrprev__TOP__clk)));
    vlSelf->__Vtrigrprev__TOP__clk = vlSelf->clk;
";

    #[test]
    fn a_rising_edge_alone_is_recognised() {
        let found = |sources: &[&str]| remembered(sources.iter().copied(), "clk");
        let member = Some("__Vtrigrprev__TOP__clk".to_string());
        let check = "
    if (VL_UNLIKELY((vlSelf->clk & 0xfeU))) {
        Verilated::overWidthError(\"clk\");}
    vlSelf->clk_count = vlSelf->clk_enable;
";
        assert_eq!(found(&[RISING]), member);
        assert_eq!(found(&[RISING, check]), member);
        assert_eq!(found(&[check]), None, "no edge at all");
    }

    #[test]
    fn any_other_use_of_the_clock_is_not() {
        for other in [
            "vlSelf->q = (vlSelf->clk & vlSelf->d);",
            "vlSelf->q = (vlSymsp->TOP.clk & vlSelf->d);",
            "vlSelf->__VactTriggered.at(1U) = ((~ (IData)(vlSelf->clk)) & x);",
            "vlSelf->__VactTriggered.at(1U) = (vlSelf->other ^ vlSelf->__Vtrigrprev__TOP__other);",
        ] {
            let sources = [RISING, other].into_iter();
            assert_eq!(remembered(sources, "clk"), None, "{other}");
        }
        for edge in [
            "((~ (IData)(vlSelf->clk)) & (IData)(vlSelf->__Vtrigrprev__TOP__clk));",
            "((IData)(vlSelf->clk)\n ^ (IData)(vlSelf->__Vtrigrprev__TOP__clk));",
        ] {
            let source = format!(
                "vlSelf->__VactTriggered.at(0U) = {edge}\n\
                 vlSelf->__Vtrigrprev__TOP__clk = vlSelf->clk;"
            );
            assert_eq!(
                remembered([source.as_str()].into_iter(), "clk"),
                None,
                "{edge}"
            );
        }
    }
}
