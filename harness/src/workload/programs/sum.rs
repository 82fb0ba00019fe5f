//! Prefix sum of an array in shared memory.

use super::barrier::Barrier;
use super::shared::{Array, Heap};
use super::team::Team;
use super::{Verdict, compare};
use rand::RngExt;

/// Values of each node.
const BLOCK: usize = 12;

/// Each value becomes the sum of itself and all before it: every node adds up its block, waits for the
/// others, and goes on from the sum of the blocks before its own.
pub async fn prefix(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let len = BLOCK * team.size();
    let barrier = Barrier::new(&mut heap, &team);
    let values: Array<u32> = heap.array(len);
    let blocks: Array<u32> = heap.array(team.size());
    let mut random = team.random("values");
    let plain: Vec<u32> = (0..len).map(|_| random.random_range(0..1000)).collect();
    values.fill(team.leader(), &plain).await;
    team.run(move |me, node| async move {
        let block = BLOCK * me..BLOCK * (me + 1);
        let mut sum = 0;
        for index in block.clone() {
            sum += values.at(index).load(&node).await;
        }
        blocks.at(me).store(&node, sum).await;
        barrier.wait(&node).await;
        let mut sum = 0;
        for before in 0..me {
            sum += blocks.at(before).load(&node).await;
        }
        for index in block {
            sum += values.at(index).load(&node).await;
            values.at(index).store(&node, sum).await;
        }
    })
    .await;
    let found = values.read(team.leader()).await;
    let sums = plain.iter().scan(0, |sum, value| {
        *sum += value;
        Some(*sum)
    });
    compare("sums", &found, &sums.collect())
}
