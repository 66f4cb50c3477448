//! Models whose `Hash` tells less apart than `==`, which is legal Rust: equal values must hash
//! alike, not the reverse. The compiled engine sees the states, and finds the runs, of a plain
//! search by `==`.

#[path = "../support/by_equality.rs"]
mod equality;
mod raft;
mod random;
mod sets;
