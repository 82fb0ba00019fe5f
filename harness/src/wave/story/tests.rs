use super::super::flow::tests::{collect, read_of_a_dirty_line};
use super::*;

const TEXT: &str = "\
line 0x1000: 1 transaction

  cycle  who  asks        line    home     snooped  answered by  cycles  of these at
     10  1:5  ReadShared  0x1000  home1:3  0        node 0           12  home1 9, node 0 1, switch 2

     cycle       who  node 0                  node 1                  home1                   memory 7
        10       1:5  |                       |- ReadShared I ------->|                       |
        19       1:5  |<------------------------------- SnpSharedFwd -|                       |
        20       1:5  |- CompData SC -------->|                       |                       |  there in 22, answered after 12
        25       1:5  |- SnpRespDataFwded SC ------------------------>|                       |
        27       1:5  |                       |- CompAck SC --------->|                       |
        37       1:5  |                       |                       |- MemWrite I --------->|
        99       1:5  |                       |                       |<------------- Comp I -|
";

fn of_line() -> Choice {
    Choice {
        addresses: Some(0x1010..=0x1010),
        ..Choice::default()
    }
}

#[test]
fn the_story_of_a_line_says_who_asked_who_was_snooped_who_answered_and_when() {
    let flows = collect(&read_of_a_dirty_line());
    assert_eq!(Story::new(&flows, &of_line()).text(), TEXT);
}

#[test]
fn only_what_is_wanted_is_told() {
    let flows = collect(&read_of_a_dirty_line());
    let told = |choice: Choice| !Story::new(&flows, &choice).is_empty();
    let name = |node, txn| Choice {
        follow: Some(Name { node, txn }),
        ..Choice::default()
    };
    assert!(told(name(NodeId::port(1), 5)) && told(name(NodeId::home(1), 3)));
    assert!(!told(name(NodeId::port(1), 4)));
    let ports = |ports: &[usize]| Choice {
        ports: ports.to_vec(),
        ..of_line()
    };
    assert!(told(ports(&[7])) && !told(ports(&[2, 3])));
    let cycles = |from, to| Choice {
        cycles: Some(from..=to),
        ..of_line()
    };
    assert!(told(cycles(99, 200)) && !told(cycles(100, 200)));
}

#[test]
fn the_page_draws_one_arrow_a_packet() {
    let flows = collect(&read_of_a_dirty_line());
    let page = Story::new(&flows, &of_line()).page();
    assert_eq!(page.matches("class=\"flow\"").count(), 3 * 7, "{page}");
    assert!(page.contains("SnpRespDataFwded SC 1:5") && page.contains("home1 9, node 0 1"));
    assert!(!page.contains("http") && !page.contains("<script"));
}
