use super::*;
#[test]
fn tmp() {
    for f in ["x86", "riscv"] {
        let t = std::time::Instant::now();
        let mut c = Collection::default();
        c.read(std::path::Path::new(&format!(
            "/work/shared/data/litmus/{f}_litmus.jsonl"
        )))
        .unwrap();
        let (p, r) = c.prepare(|| ());
        println!(
            "{f} {} ok {} refused {:?} {:?}",
            p.len(),
            p.iter().filter(|p| p.as_expected == Some(true)).count(),
            Refused::classes(&r),
            t.elapsed()
        );
        for r in r.iter().take(60) {
            println!("  {} {}", r.name, r.error);
        }
        for p in p.iter().filter(|p| p.as_expected != Some(true)) {
            println!("DIFF {} sc {} tso {}", p.test.name, p.sc.len(), p.tso.len());
        }
    }
}
