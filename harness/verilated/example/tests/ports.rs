//! Ports of all widths, by their accessors and by their description.

use verilated::{Clocked, Dir, Model, Port};
use verilated_example::{DeepQueue, RecordQueue};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn port(name: &str) -> (usize, &'static Port) {
    let index = RecordQueue::PORTS.iter().position(|port| port.name == name);
    let index = index.unwrap_or_else(|| panic!("there is a port {name}"));
    (index, &RecordQueue::PORTS[index])
}

#[test]
fn a_port_of_any_width_carries_its_value() -> Result {
    let mut queue = RecordQueue::ready()?;
    let key = [1, 2, 3, 0xffff_ffff];
    let payload = [9, 8, 7, 6, 5, 4, 0xab];
    queue.set_kind_i(0xa5);
    queue.set_tag_i(0xfed);
    queue.set_addr_i(0xfe_dcba_9876);
    queue.set_stamp_i(u64::MAX - 1);
    queue.set_key_i(&key);
    queue.set_payload_i(&payload);
    assert_eq!(queue.valid_o(), 0);
    queue.push(0xdead_beef)?;
    assert_eq!(queue.valid_o(), 1);
    assert_eq!(queue.kind_o(), 0xa5);
    assert_eq!(queue.tag_o(), 0xfed);
    assert_eq!(queue.word_o(), 0xdead_beef);
    assert_eq!(queue.addr_o(), 0xfe_dcba_9876);
    assert_eq!(queue.stamp_o(), u64::MAX - 1);
    assert_eq!(queue.key_o(), &key);
    assert_eq!(queue.payload_o(), &payload);
    Ok(())
}

#[test]
fn bits_above_the_width_of_a_port_never_reach_the_model() -> Result {
    let mut queue = RecordQueue::ready()?;
    queue.set_tag_i(u16::MAX);
    queue.set_addr_i(u64::MAX);
    queue.set_payload_i(&[u32::MAX; 7]);
    assert_eq!(queue.tag_i(), 0xfff);
    assert_eq!(queue.addr_i(), 0xff_ffff_ffff);
    assert_eq!(queue.payload_i()[6], 0xff);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        queue.update_payload_i(|payload| {
            payload[6] = u32::MAX;
            panic!("in the middle of a change");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(queue.payload_i()[6], 0xff);
    let (index, _) = port("push_i");
    queue.poke(index, 0, &[0xfe]);
    assert_eq!(queue.push_i(), 0);
    Ok(())
}

#[test]
fn an_unpacked_array_is_reached_element_by_element() -> Result {
    let mut queue = RecordQueue::new();
    for (index, weight) in [1000, 200, 30].into_iter().enumerate() {
        queue.set_weight_i(index, weight);
    }
    // Elements of [2][2] in declaration order: [0][0], [0][1], [1][0], [1][1].
    queue.set_mask_i(0, &[0xff, 0, 0, 0xf]);
    queue.set_mask_i(1, &[0x3c, 0, 0, 0x6]);
    queue.update_mask_i(2, |mask| mask.fill(u32::MAX));
    queue.set_mask_i(3, &[7, 6, 5, 4]);
    queue.eval()?;
    assert_eq!(queue.sum_o(), 1230);
    assert_eq!(queue.mask_o(0), &[0x3c, 0, 0, 0x6]);
    assert_eq!(queue.mask_o(1), &[7, 6, 5, 4]);
    Ok(())
}

#[test]
fn an_element_out_of_range_is_refused() {
    let attempt = std::panic::catch_unwind(|| RecordQueue::new().set_weight_i(3, 1));
    assert!(attempt.is_err());
    let (index, _) = port("weight_i");
    let attempt = std::panic::catch_unwind(|| RecordQueue::new().peek(index, 3, &mut [0]));
    assert!(attempt.is_err());
}

#[test]
fn the_description_has_name_direction_range_and_dimensions_of_every_port() {
    let shape = |name| {
        let (_, p) = port(name);
        (p.dir, p.msb, p.lsb, p.dims)
    };
    let none: &[usize] = &[];
    assert_eq!(RecordQueue::PORTS.len(), 25);
    assert_eq!(shape("clk_i"), (Dir::In, 0, 0, none));
    assert_eq!(shape("tag_o"), (Dir::Out, 11, 0, none));
    assert_eq!(shape("payload_i"), (Dir::In, 199, 0, none));
    assert_eq!(shape("mask_i"), (Dir::In, 99, 0, &[2, 2][..]));
    let (_, payload) = port("payload_i");
    assert_eq!(
        (payload.width(), payload.words(), payload.elements()),
        (200, 7, 1)
    );
    let deep = DeepQueue::PORTS
        .iter()
        .find(|p| p.name == "payload_i")
        .map(Port::width);
    assert_eq!(deep, Some(320), "the parameter sets the width");
}

#[test]
fn peek_and_poke_agree_with_the_accessors() -> Result {
    let mut queue = RecordQueue::ready()?;
    let inputs = [
        "kind_i",
        "tag_i",
        "word_i",
        "addr_i",
        "stamp_i",
        "key_i",
        "payload_i",
    ]
    .map(port);
    for (index, about) in inputs {
        let value: Vec<u32> = (0..about.words()).map(|i| 0x8765_4321 ^ i as u32).collect();
        queue.poke(index, 0, &value);
    }
    assert_eq!(queue.kind_i(), 0x21);
    assert_eq!(queue.tag_i(), 0x321);
    assert_eq!(queue.word_i(), 0x8765_4321);
    assert_eq!(queue.addr_i(), 0x20_8765_4321);
    assert_eq!(queue.stamp_i(), 0x8765_4320_8765_4321);
    assert_eq!(queue.key_i()[3], 0x8765_4322);
    let word = queue.word_i();
    queue.push(word)?;
    for (index, about) in inputs {
        let (mut sent, mut got) = (vec![0; about.words()], vec![0; about.words()]);
        queue.peek(index, 0, &mut sent);
        queue.peek(port(&about.name.replace("_i", "_o")).0, 0, &mut got);
        assert_eq!(sent, got, "{}", about.name);
    }
    let (weight, _) = port("weight_i");
    queue.poke(weight, 2, &[77]);
    assert_eq!(queue.weight_i(2), 77);
    let (mask, _) = port("mask_i");
    queue.poke(mask, 3, &[1, 2, 3, u32::MAX]);
    assert_eq!(queue.mask_i(3), &[1, 2, 3, 0xf]);
    queue.cycle()?;
    Ok(())
}

#[test]
fn words_of_a_wide_port_are_reached_by_index() -> Result {
    let mut queue = RecordQueue::new();
    let (payload, _) = port("payload_i");
    queue.update_words(payload, 0, |words| {
        assert_eq!(words.len(), 7);
        words.fill(u32::MAX);
    });
    assert_eq!(
        queue.payload_i(),
        &[
            u32::MAX,
            u32::MAX,
            u32::MAX,
            u32::MAX,
            u32::MAX,
            u32::MAX,
            0xff
        ]
    );
    let (mask, _) = port("mask_i");
    queue.set_mask_i(3, &[4, 3, 2, 1]);
    assert_eq!(queue.words(mask, 3), [4, 3, 2, 1]);
    let (narrow, _) = port("stamp_i");
    let attempt = std::panic::catch_unwind(|| RecordQueue::new().words(narrow, 0).len());
    assert!(attempt.is_err());
    Ok(())
}
