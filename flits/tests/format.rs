//! Properties of headers, packets and their codecs.

use bitvec::prelude::*;
use flits::layout::{self, FIELDS, Field, Form};
use flits::strategies::{self, Fault};
use flits::{
    Assembler, AtomicOp, CacheState, Class, Flit, Header, HeaderError, LinkWord, NodeId, Opcode,
    Packet, PacketError, RespErr,
};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

/// What a header holds, field by field, read without the codec.
fn values(header: &Header) -> Vec<(Field, u64)> {
    vec![
        (layout::OPCODE, header.opcode.code().into()),
        (layout::QOS, header.qos.into()),
        (layout::SRC, u16::from(header.src).into()),
        (layout::DST, u16::from(header.dst).into()),
        (layout::TXN, header.txn.into()),
        (layout::ADDR, header.addr),
        (layout::SIZE, header.size.into()),
        (layout::STATE, header.state.code().into()),
        (layout::POISON, header.poison.into()),
        (layout::RESP, header.resp.code().into()),
        (layout::ATOMIC_OP, header.atomic_op.code().into()),
        (layout::BE, header.be.into()),
        (layout::RETURN_NODE, u16::from(header.return_node).into()),
        (layout::RETURN_TXN, header.return_txn.into()),
        (layout::HOME_NODE, u16::from(header.home_node).into()),
        (layout::HOME_TXN, header.home_txn.into()),
        (layout::FORWARD_NODE, u16::from(header.forward_node).into()),
        (layout::FORWARD_TXN, header.forward_txn.into()),
        (layout::TARGETS, header.targets.into()),
    ]
}

const WITH_PAYLOAD: [Opcode; 11] = [
    Opcode::WriteNoSnp,
    Opcode::WriteUnique,
    Opcode::WriteBackFull,
    Opcode::AtomicStore,
    Opcode::AtomicLoad,
    Opcode::AtomicSwap,
    Opcode::AtomicCompare,
    Opcode::MemWrite,
    Opcode::CompData,
    Opcode::SnpRespData,
    Opcode::SnpRespDataFwded,
];

/// A field of a flit by bit slices alone.
fn sliced(flit: Flit, field: &Field) -> u64 {
    flit.bits()[field.lsb as usize..(field.lsb + field.width) as usize].load_le()
}

proptest! {
    #![proptest_config(strategies::repeatable(2000))]

    #[test]
    fn a_header_comes_back_from_its_flit(header in strategies::header()) {
        prop_assert_eq!(header.check(), Ok(()));
        prop_assert_eq!(Header::decode(header.class(), header.encode()), Ok(header));
    }

    #[test]
    fn a_flit_comes_back_from_its_header(header in strategies::header()) {
        let flit = header.encode();
        let again = Header::decode(header.class(), flit).map(|header| header.encode());
        prop_assert_eq!(again, Ok(flit));
    }

    #[test]
    fn every_field_is_where_the_table_says(header in strategies::header()) {
        let flit = header.encode();
        for (field, value) in values(&header) {
            match field.is_in(header.form()) {
                true => prop_assert_eq!(sliced(flit, &field), value, "{}", field.name),
                false => prop_assert_eq!(value, 0, "{}", field.name),
            }
        }
        prop_assert_eq!(flit.to_u128() & header.form().reserved_mask(), 0);
    }

    #[test]
    fn a_bit_that_no_field_has_is_an_error(header in strategies::header(), choice in any::<prop::sample::Index>()) {
        let reserved: Vec<_> =
            (0..128).filter(|bit| header.form().reserved_mask() >> bit & 1 == 1).collect();
        let bad = 1 << reserved[choice.index(reserved.len())];
        let flit = Flit::from_u128(header.encode().to_u128() | bad);
        let error = HeaderError::ReservedBits { opcode: header.opcode, bits: bad.into() };
        prop_assert_eq!(Header::decode(header.class(), flit), Err(error));
    }

    #[test]
    fn an_opcode_is_known_in_its_class_only(header in strategies::header(), class in strategies::class()) {
        let decoded = Header::decode(class, header.encode());
        prop_assert_eq!(decoded.is_ok(), class == header.class());
    }

    #[test]
    fn a_header_says_who_whom_and_where(header in strategies::header()) {
        let text = header.to_string();
        let begin = format!(
            "{} {} {}->{} txn {} addr {:#x}",
            header.class(), header.opcode, header.src, header.dst, header.txn, header.addr
        );
        prop_assert!(text.starts_with(&begin), "{text}");
    }

    #[test]
    fn headers_and_words_come_back_from_json(packet in strategies::packet()) {
        let text = serde_json::to_string(&packet.header).unwrap();
        prop_assert_eq!(serde_json::from_str::<Header>(&text).unwrap(), packet.header);
        for word in packet.words() {
            let text = serde_json::to_string(&word).unwrap();
            prop_assert_eq!(serde_json::from_str::<LinkWord>(&text).unwrap(), word);
        }
    }

    #[test]
    fn bytes_lie_at_their_natural_lanes(packet in strategies::packet_of(&WITH_PAYLOAD)) {
        let header = packet.header;
        let bytes: Vec<u8> = (0..header.bytes()).map(|i| i as u8 ^ 0xa5).collect();
        let packet = Packet::with_data(header, &bytes).unwrap();
        prop_assert_eq!(&packet.data()[..], &bytes[..]);
        for (i, &byte) in bytes.iter().enumerate() {
            let lane = (header.addr as usize + i) % 16;
            prop_assert_eq!(packet.payload[i / 16].to_bytes()[lane], byte);
        }
        match bytes.len() {
            64 => prop_assert_eq!(&packet.line().unwrap()[..], &bytes[..]),
            _ => prop_assert_eq!(packet.line(), None),
        }
    }

    #[test]
    fn words_of_several_classes_interleave_freely(
        packets in prop::collection::vec(strategies::packet(), 1..12),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
    ) {
        let mut queues = [const { VecDeque::new() }; Class::ALL.len()];
        let mut sent = [const { Vec::new() }; Class::ALL.len()];
        for packet in packets {
            let class = usize::from(packet.header.class().code());
            queues[class].extend(packet.words());
            sent[class].push(packet);
        }
        let mut arrived = [const { Vec::new() }; Class::ALL.len()];
        let mut assembler = Assembler::new();
        let mut choices = choices.iter().cycle();
        while queues.iter().any(|queue| !queue.is_empty()) {
            let waiting: Vec<_> = (0..queues.len()).filter(|&c| !queues[c].is_empty()).collect();
            let class = waiting[choices.next().unwrap().index(waiting.len())];
            let word = queues[class].pop_front().unwrap();
            if let Some(packet) = assembler.push(word).unwrap() {
                arrived[class].push(packet);
            }
        }
        prop_assert!(!assembler.is_inside());
        prop_assert_eq!(arrived, sent);
    }

    #[test]
    fn a_lost_word_is_one_error_and_soon_over(
        packet in strategies::packet_of(&[Opcode::CompData, Opcode::SnpRespData]),
        lost in any::<prop::sample::Index>(),
        next in prop::array::uniform2(strategies::header_of(Opcode::CompData)),
    ) {
        let lost = lost.index(packet.words().count());
        let mut words: Vec<_> = packet.words().collect();
        words.remove(lost);
        let last = Packet::with_data(next[1], &vec![0; next[1].bytes()]).unwrap();
        for header in next {
            words.extend(Packet::with_data(header, &vec![0; header.bytes()]).unwrap().words());
        }
        let mut assembler = Assembler::new();
        let outcomes: Vec<_> = words.into_iter().map(|word| assembler.push(word)).collect();
        prop_assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
        prop_assert_eq!(outcomes.last().unwrap().as_ref().unwrap().as_ref(), Some(&last));
    }

    #[test]
    fn a_faulty_packet_has_its_fault(
        (fault, words) in prop::sample::select(Fault::ALL.as_slice())
            .prop_flat_map(|fault| (Just(fault), strategies::faulty_words(fault, NodeId::port(5)))),
    ) {
        prop_assert!(words.last().unwrap().tail && words.iter().filter(|word| word.tail).count() == 1);
        let mut assembler = Assembler::new();
        let outcomes: Vec<_> = words.iter().map(|&word| assembler.push(word)).collect();
        let error = outcomes.iter().find_map(|outcome| outcome.as_ref().err().copied());
        if fault == Fault::Torn {
            let torn = |error| matches!(
                error,
                PacketError::NoHead { .. }
                    | PacketError::EarlyTail { .. }
                    | PacketError::MissingTail { .. }
            );
            prop_assert!(error.is_some_and(torn), "{error:?}");
            return Ok(());
        }
        let packet = outcomes.into_iter().find_map(|outcome| outcome.ok().flatten());
        let class = words[0].class;
        let fits = match (fault, error, packet.map(|packet| packet.header)) {
            (Fault::Opcode, Some(PacketError::Header(HeaderError::UnknownOpcode { code, .. })), _) => {
                Opcode::from_code(code).is_none()
            }
            (Fault::Class, Some(PacketError::Header(HeaderError::UnknownOpcode { code, .. })), _) => {
                Opcode::from_code(code).is_some_and(|opcode| opcode.class() != class)
            }
            (Fault::Size, Some(PacketError::Header(HeaderError::BadSize { .. })), _) => true,
            (Fault::Alignment, Some(PacketError::Header(HeaderError::Misaligned { .. })), _) => true,
            (Fault::Source, None, Some(header)) => header.src != NodeId::port(5),
            (Fault::HomeOnly, None, Some(header)) => {
                header.src == NodeId::port(5) && matches!(class, Class::Snp | Class::Mem)
            }
            (Fault::Unasked, None, Some(header)) => {
                header.src == NodeId::port(5) && matches!(class, Class::Rsp | Class::Dat)
            }
            _ => false,
        };
        prop_assert!(fits, "{fault:?} {error:?}");
    }

    #[test]
    fn whatever_arrives_is_a_packet_or_an_error(
        words in prop::collection::vec(strategies::link_word(), 1..100),
    ) {
        let mut assembler = Assembler::new();
        for word in words {
            match assembler.push(word) {
                Ok(Some(packet)) => {
                    prop_assert_eq!(packet.header.check(), Ok(()));
                    prop_assert_eq!(packet.payload.len(), packet.header.payload_flits());
                }
                Ok(None) => {}
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn the_codec_knows_every_field_of_the_table() {
    let listed: Vec<_> = values(&Header::new(Opcode::Comp))
        .iter()
        .map(|(f, _)| f.name)
        .collect();
    let table: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(listed, table);
}

#[test]
fn every_code_has_one_meaning() {
    let codes: BTreeSet<_> = Opcode::ALL.iter().map(|opcode| opcode.code()).collect();
    assert_eq!(codes.len(), Opcode::ALL.len());
    for code in 0..64 {
        assert_eq!(Opcode::from_code(code).is_some(), codes.contains(&code));
        assert_eq!(Opcode::from_code(code).map_or(code, Opcode::code), code);
    }
}

#[test]
fn packets_that_carry_data_have_a_size() {
    for opcode in Opcode::ALL {
        assert_eq!(
            opcode.has_payload(),
            WITH_PAYLOAD.contains(&opcode),
            "{opcode}"
        );
        if opcode.has_payload() {
            assert!(layout::SIZE.is_in(Form::of(opcode)), "{opcode}");
        }
    }
}

#[test]
fn constructors_refuse_what_is_not_legal() {
    let node = NodeId::port(3);
    let reason = |made: Result<Header, HeaderError>| made.unwrap_err().to_string();
    assert_eq!(
        reason(Header::read_shared(node, 1024, 0x1000)),
        "0x400 does not fit txn, which has 10 bits"
    );
    assert_eq!(
        reason(Header::read_shared(node, 0, 1 << 48)),
        "0x1000000000000 does not fit addr, which has 48 bits"
    );
    assert_eq!(
        reason(Header::read_unique(node, 0, 0x1020)),
        "ReadUnique of 64 bytes at 0x1020: the address must be a multiple of 64"
    );
    assert_eq!(
        reason(Header::write_unique(node, 0, 0x1000, 5)),
        "WriteUnique cannot have size 5 (2^5 bytes)"
    );
    let atomic = |opcode, op, size| Header::atomic(opcode, op, node, 0, 0x1000, size);
    assert_eq!(
        reason(atomic(Opcode::AtomicLoad, AtomicOp::Or, 4)),
        "AtomicLoad cannot have size 4 (2^4 bytes)"
    );
    assert_eq!(
        reason(atomic(Opcode::AtomicSwap, AtomicOp::Or, 3)),
        "AtomicSwap has no field atomic_op"
    );
    assert_eq!(
        reason(Header::read_no_snp(node, 0, 0x1000, 9)),
        "ReadNoSnp cannot have size 9 (2^9 bytes)"
    );
    assert_eq!(
        reason(Header::mem_write(NodeId::home(0), 0, 0x1008, 3, 0x0001)),
        "MemWrite of size 3 at 0x1008 cannot have byte enables 0x0001"
    );
    assert_eq!(
        reason(
            Header {
                resp: RespErr::NoRight,
                ..Header::new(Opcode::Evict)
            }
            .check()
            .map(|()| Header::new(Opcode::Evict))
        ),
        "Evict has no field resp"
    );
    assert_eq!(
        reason(Header::snoop(
            Opcode::SnpUnique,
            NodeId::home(0),
            node,
            0,
            0x1008,
            (node, 0)
        )),
        "SnpUnique of 64 bytes at 0x1008: the address must be a multiple of 64"
    );
}

#[test]
fn bits_that_are_no_value_are_refused() {
    let mut flit = Header::new(Opcode::Comp).encode();
    flit.set(&layout::RESP, 7);
    let error = Header::decode(Class::Rsp, flit).unwrap_err();
    assert_eq!(error.to_string(), "0x7 is no value of resp (bits 97:95)");
}

#[test]
fn an_answer_goes_where_its_question_says() -> Result<(), HeaderError> {
    let (node, home, memory) = (NodeId::port(3), NodeId::home(1), NodeId::port(7));
    let read = Header::mem_read(home, 9, 0x1040, CacheState::SC, (node, 5))?;
    let data = Header::comp_data(memory, &read, CacheState::SC)?;
    assert_eq!(
        data.to_string(),
        "DAT CompData 7->3 txn 5 addr 0x1040 bytes 64 SC home home1 txn 9"
    );
    let ack = Header::comp_ack(&data, CacheState::SC)?;
    assert_eq!(
        ack.to_string(),
        "RSP CompAck 3->home1 txn 9 addr 0x1040 SC home 0 txn 0"
    );

    let forward = (NodeId::port(2), 6);
    let snoop = Header::snoop(Opcode::SnpSharedFwd, home, node, 4, 0x1040, forward)?;
    assert_eq!(
        snoop.to_string(),
        "SNP SnpSharedFwd home1->3 txn 4 addr 0x1040 targets 0x8 forward 2 txn 6"
    );
    let forwarded = Header::comp_data(node, &snoop, CacheState::SC)?;
    assert_eq!((forwarded.dst, forwarded.txn), forward);
    assert_eq!((forwarded.home_node, forwarded.home_txn), (home, 4));
    let answer = Header::snoop_response(Opcode::SnpRespDataFwded, &snoop, CacheState::SC)?;
    assert_eq!((answer.dst, answer.txn, answer.size), (home, 4, 6));

    let request = Header {
        dst: home,
        ..Header::clean_unique(node, 5, 0x1040)?
    };
    let comp = Header::comp(&request, CacheState::UC, 9)?;
    assert_eq!(
        comp.to_string(),
        "RSP Comp home1->3 txn 5 addr 0x1040 UC home home1 txn 9"
    );
    Ok(())
}

#[test]
fn torn_packets_are_told_apart() -> Result<(), PacketError> {
    let header = Header::write_back_full(NodeId::port(1), 2, 0x40)?;
    let words: Vec<_> = Packet::with_data(header, &[7; 64])?.words().collect();
    let push = |sequence: &[LinkWord]| {
        let mut assembler = Assembler::new();
        sequence
            .iter()
            .map(|&word| assembler.push(word))
            .collect::<Result<Vec<_>, _>>()
    };
    let tail = LinkWord {
        tail: true,
        ..words[2]
    };
    let endless = LinkWord {
        tail: false,
        ..words[4]
    };
    let class = Class::Req;
    assert_eq!(push(&words[1..2]), Err(PacketError::NoHead { class }));
    assert_eq!(
        push(&[words[0], words[1], words[0]]),
        Err(PacketError::HeadInside {
            class,
            header,
            got: 1
        })
    );
    assert_eq!(
        push(&[words[0], words[1], tail]),
        Err(PacketError::EarlyTail { header, got: 2 })
    );
    assert_eq!(
        push(&[words[0], words[1], words[2], words[3], endless]),
        Err(PacketError::MissingTail { header })
    );
    Ok(())
}

#[test]
fn a_packet_has_the_data_that_its_header_says() {
    let header = Header::write_unique(NodeId::port(1), 2, 0x48, 3).unwrap();
    let error = Packet::with_data(header, &[0; 4]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("with 4 bytes of data instead of 8"),
        "{error}"
    );
    let error = Packet::bare(header).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("with 0 payload flits instead of 1"),
        "{error}"
    );
}

#[test]
fn nodes_are_named_by_their_place() {
    let named = |id| NodeId::try_from(id).unwrap().to_string();
    assert_eq!(named(3), "3");
    assert_eq!(named(17), "home1");
    assert_eq!(named(24), "unit24");
    assert_eq!(named(2 << 5 | 16), "c2.home0");
    assert_eq!(NodeId::home(1).as_home(), Some(1));
    assert_eq!(NodeId::home(1).as_port(), None);
    assert_eq!(
        serde_json::from_str::<NodeId>("1024")
            .unwrap_err()
            .to_string(),
        "node 1024 does not fit a node identifier: the largest is 1023"
    );
}
