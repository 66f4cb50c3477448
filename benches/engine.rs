//! The compiled engine beside stateright's own checkers: see [`contests`].
//!
//! `cargo bench --bench engine` takes the quick contests; `-- --full` adds the five-node election
//! (minutes a round); `-- --rounds N` sets the rounds (3 unless told); `-- NAME` keeps only the
//! contests whose name contains NAME.

#[path = "support/contests.rs"]
mod contests;
#[path = "../tests/support/plain.rs"]
mod plain;
#[path = "../tests/support/raft_election.rs"]
mod raft_election;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut rounds = 3;
    let mut full = false;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                rounds = arguments.next().and_then(|n| n.parse().ok()).expect("a number of rounds")
            }
            "--full" => full = true,
            "--bench" => {}
            name => only = name.to_string(),
        }
    }
    for contest in contests::all(full).iter().filter(|contest| contest.name.contains(&only)) {
        println!("\n{}", contest.name);
        let held = contest.hold(rounds);
        println!("  {} distinct states, medians of {rounds} rounds", held.distinct);
        for ((name, _), median) in contest.contenders.iter().zip(&held.medians) {
            let rate = held.distinct as f64 / median / 1e6;
            let ratio = held.medians[0] / median;
            println!("  {name:<34} {median:>9.3} s {rate:>8.3} M states/s   x {ratio:>6.1}");
        }
    }
    println!();
    for mebibytes in [64, 1024] {
        let rate = contests::memory_limit(mebibytes << 20) / 1e6;
        println!(
            "this machine's memory, one thread: {rate:.0} M random look-ups/s in {mebibytes} MiB"
        );
    }
}
