use super::*;

const X: u64 = 0x1000;
const Y: u64 = 0x2000;

fn access(node: usize, op: u64, addr: u64, bytes: &[u8; 8]) -> Access<&[u8]> {
    Access {
        node,
        op,
        addr,
        bytes,
    }
}

/// A recorder of nodes with these models, with operations that take a cycle each.
struct Run {
    recorder: Recorder,
    cycle: u64,
    counts: Vec<u64>,
}

impl Run {
    fn new(models: &[Model]) -> Self {
        Run {
            recorder: Recorder::new(models.to_vec()),
            cycle: 10,
            counts: vec![0; models.len()],
        }
    }

    fn op(&mut self, node: usize, kind: OpKind, addr: u64, value: u8, visible: bool) -> u64 {
        let op = self.counts[node];
        self.counts[node] += 1;
        self.recorder.start(self.cycle, node, op);
        if visible {
            self.recorder.visible(node, op, addr, &[value; 8]);
        }
        self.cycle += 1;
        let bytes = [value; 8];
        let access = access(node, op, addr, &bytes);
        let ended = self.recorder.finish(self.cycle, access, kind, RespErr::Ok);
        assert!(ended.is_ok());
        op
    }

    fn store(&mut self, node: usize, addr: u64, value: u8) {
        self.op(node, OpKind::Store, addr, value, true);
    }

    fn load(&mut self, node: usize, addr: u64, value: u8) {
        self.op(node, OpKind::Load, addr, value, false);
    }

    fn buffer(&mut self, node: usize, addr: u64, value: u8) -> u64 {
        self.op(node, OpKind::Store, addr, value, false)
    }

    fn judge(&mut self) -> Option<String> {
        self.recorder.judge(true).err().map(|found| found.message)
    }
}

#[test]
fn a_load_that_misses_what_was_visible_breaks_sc() {
    let mut run = Run::new(&[Model::Sc; 2]);
    run.store(0, X, 1);
    run.store(0, Y, 1);
    run.load(1, Y, 1);
    run.load(1, X, 0);
    let text = run.judge().expect("a violation");
    for line in [
        "node 0: 8 bytes at 0x1000 := 0101010101010101 (cycles 10 to 11)",
        "in program order",
        "which reads 8 bytes at 0x2000 from it",
        "since it read 8 bytes at 0x1000 before that store",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn late_stores_are_right_for_a_store_buffer_and_wrong_without() {
    for (model, right) in [(Model::Tso, true), (Model::Sc, false)] {
        let mut run = Run::new(&[model; 2]);
        let stores = [(0, X, 1), (1, Y, 1)].map(|(n, a, v)| (n, run.buffer(n, a, v), a));
        run.load(0, X, 1);
        run.load(1, Y, 1);
        run.load(0, Y, 0);
        run.load(1, X, 0);
        for (node, op, addr) in stores {
            run.recorder.visible(node, op, addr, &[1; 8]);
        }
        assert_eq!(run.judge().is_none(), right, "{model:?}");
    }
}

#[test]
fn stores_that_leave_the_buffer_out_of_order_are_found() {
    let mut run = Run::new(&[Model::Tso; 2]);
    let (x, y) = (run.buffer(0, X, 1), run.buffer(0, Y, 1));
    run.recorder.visible(0, y, Y, &[1; 8]);
    run.load(1, Y, 1);
    run.load(1, X, 0);
    run.recorder.visible(0, x, X, &[1; 8]);
    assert!(run.judge().is_some());
}

#[test]
fn what_was_judged_stays_in_memory() {
    let mut run = Run::new(&[Model::Sc; 2]);
    run.store(0, X, 1);
    assert_eq!(run.judge(), None);
    run.load(1, X, 1);
    run.store(1, X, 2);
    run.load(0, X, 2);
    assert_eq!(run.judge(), None);
    assert_eq!(run.recorder.judged(), 4);
    run.load(0, X, 1);
    assert!(run.judge().expect("a violation").contains("nobody"));
}

#[test]
fn what_has_not_ended_is_judged_later() {
    let mut run = Run::new(&[Model::Tso, Model::Sc]);
    run.store(1, Y, 7);
    let late = run.buffer(0, X, 1);
    run.load(0, X, 1);
    run.load(1, X, 0);
    let judged = |run: &mut Run| run.recorder.judge(false).map(|()| run.recorder.judged());
    assert_eq!(judged(&mut run).ok(), Some(1), "the store of 7 alone");
    run.recorder.visible(0, late, X, &[1; 8]);
    run.load(1, X, 1);
    assert_eq!(judged(&mut run).ok(), Some(5));
    run.load(1, Y, 7);
    run.load(0, X, 0);
    assert!(run.judge().is_some());
}

#[test]
fn a_write_at_a_memory_belongs_to_the_operation_that_caused_it() {
    for (value, right) in [(5, true), (0, false)] {
        let mut run = Run::new(&[Model::Sc; 2]);
        run.recorder.keep_order();
        run.recorder.start(run.cycle, 0, 0);
        run.counts[0] = 1;
        let mut data = [0; 16];
        data[8..].fill(5);
        let (addr, be) = (X, 0xff00);
        let data = &data[..];
        run.recorder.performed(0, 3, Written { addr, data, be });
        run.recorder.answered(0, 3);
        let (write, kind) = (access(0, 0, X + 8, &[5; 8]), OpKind::WriteUnique);
        let ended = run.recorder.finish(20, write, kind, RespErr::Ok);
        assert!(ended.is_ok());
        run.cycle = 21;
        run.store(0, Y, 1);
        run.load(1, Y, 1);
        run.load(1, X + 8, value);
        assert_eq!(run.judge().is_none(), right);
        assert_eq!(run.recorder.take_order(), [(0, 0), (0, 1)]);
    }
}

#[test]
fn a_refused_operation_has_no_effect() {
    let mut run = Run::new(&[Model::Sc; 2]);
    run.recorder.start(10, 0, 0);
    let (load, status) = (access(0, 0, X, &[9; 8]), RespErr::Unmapped);
    let ended = run.recorder.finish(11, load, OpKind::Load, status);
    assert!(ended.is_ok());
    assert_eq!(run.judge(), None);
    assert_eq!(run.recorder.judged(), 0);
}
