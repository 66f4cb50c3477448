#!/bin/sh
# Draws every picture of the documentation: `sh docs/pictures.sh`. A line draws one picture, so a new picture is a new line.
# The test `cargo test --test teaching` draws them again, and fails if one of the files is not what its line draws.
# A debug build, which the test runs, may find another run of the same length. Such a run is kept as a trace in docs/runs, and replayed here.
cd "$(dirname "$0")/.." || exit
cargo build --release || exit

# A command that shows a violation ends with 1; that is what is to be drawn.
oneleader() {
  cargo run --quiet --release -- "$@" > /dev/null || [ $? -eq 1 ] || exit
}

oneleader check raft --scenario forgets-vote --svg docs/pictures/raft-forgets-vote.svg
oneleader replay docs/runs/raft-votes-for-any-log.json --svg docs/pictures/raft-votes-for-any-log.svg
oneleader check raft --scenario commits-old-terms --svg docs/pictures/raft-commits-old-terms.svg
oneleader check raft --scenario half-quorum --svg docs/pictures/raft-half-quorum.svg
oneleader replay docs/runs/raft-figure-8.json --svg docs/pictures/raft-figure-8.svg
oneleader replay docs/runs/raft-election.json --svg docs/pictures/raft-election.svg
oneleader replay docs/runs/raft-old-leader.json --svg docs/pictures/raft-old-leader.svg
oneleader liveness raft --scenario lock-step --svg docs/pictures/raft-lock-step.svg
oneleader replay docs/runs/raft-cut-link.json --svg docs/pictures/raft-cut-link.svg
oneleader replay docs/runs/ring-election.json --svg docs/pictures/ring-election.svg
oneleader check ring --scenario smaller-numbers-pass --property election-safety --svg docs/pictures/ring-smaller-numbers-pass.svg
oneleader replay docs/runs/bully-election.json --svg docs/pictures/bully-election.svg
oneleader check bully --scenario recovers-as-leader --property election-safety --svg docs/pictures/bully-recovers-as-leader.svg
oneleader check bully --scenario slow-answer --property election-safety --svg docs/pictures/bully-slow-answer.svg
oneleader replay docs/runs/paxos-two-ballots.json --svg docs/pictures/paxos-two-ballots.svg
oneleader check paxos --scenario ignores-reports --property agreement --svg docs/pictures/paxos-ignores-reports.svg
oneleader replay docs/runs/multipaxos-gap.json --svg docs/pictures/multipaxos-gap.svg
oneleader check multipaxos --scenario fills-gaps-early --property agreement --svg docs/pictures/multipaxos-fills-gaps-early.svg
oneleader replay docs/runs/viewstamped-view-change.json --svg docs/pictures/viewstamped-view-change.svg
oneleader check viewstamped --scenario prepares-in-old-view --property acknowledged-survives --svg docs/pictures/viewstamped-prepares-in-old-view.svg
oneleader replay docs/runs/zab-epoch.json --svg docs/pictures/zab-epoch.svg
oneleader check zab --scenario empty-disk-votes --svg docs/pictures/zab-empty-disk-votes.svg
