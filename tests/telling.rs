//! What people read of a run: sentences that tell why it goes wrong, and files that other tools
//! read.

use std::collections::BTreeMap;

use itf::de::{self, As};
use oneleader::election::Election;
use oneleader::judge::{Counterexample, check, check_liveness};
use oneleader::models::multipaxos::MultiPaxos;
use oneleader::models::raft::Raft;
use oneleader::models::viewstamped::Viewstamped;
use oneleader::scenario::{Scenario, corpus, liveness};
use oneleader::tell::diagram::Caption;
use oneleader::tell::itf::export;
use oneleader::tell::{mermaid, narrative, prose};
use serde::Deserialize;

/// The counterexample of a scenario of the corpus.
fn counterexample<E: Election>(name: &str) -> Counterexample {
    let corpus = corpus::of(E::about()).expect("a corpus");
    let scenario = corpus.into_iter().find(|scenario| scenario.name == name).expect("a scenario");
    let checked = check::<E>(&scenario).expect("it is checked");
    checked.answers.into_iter().find_map(|answer| answer.counterexample).expect("a violation")
}

/// The narration without numbers and line breaks, a sentence or two for each step.
fn told<E: Election>(name: &str) -> Vec<String> {
    counterexample::<E>(name).scene.frames.into_iter().map(|frame| frame.told).collect()
}

/// n3 votes for itself, wins with n2's vote, and crashes. Its vote is on its disk, but the planted
/// bug does not read it: n3 votes in term 1 again, for n1, which wins, too.
#[test]
fn a_forgotten_vote_elects_two_leaders() {
    let expected = [
        "n1 stands for election in term 1, votes for itself and asks n2 and n3 to vote for it.",
        "n3 stands for election in term 1, votes for itself and asks n1 and n2 to vote for it.",
        "n2 hears of term 1 from n3 and grants its vote in term 1 to n3.",
        "n3 gets n2's vote in term 1 and has the votes of n2 and itself, a quorum: it leads term 1 and \
         sends heartbeats to n1 and n2.",
        "n3 crashes and forgets all that is not on a disk.",
        "n3 restarts; its disk is intact. It has forgotten its vote for itself in term 1, \
         although it is on its disk. By the rule, n3 reads its vote back from \
         its disk when it restarts. Without the bug, it remembers its vote for itself in term 1.",
        "n3 grants its vote in term 1 to n1.",
        "n1 gets n3's vote in term 1 and has the votes of n3 and itself, a quorum: it leads term 1 and \
         sends heartbeats to n2 and n3.",
    ];
    assert_eq!(told::<Raft>("forgets-vote"), expected);
}

/// What Raft calls a term is a view here.
#[test]
fn two_leaders_are_told_in_the_words_of_the_protocol() {
    let corpus = corpus::of(Viewstamped::about()).expect("a corpus");
    let named = |scenario: &&Scenario| scenario.name == "no-disk-one-view-led-twice";
    let checked = check::<Viewstamped>(corpus.iter().find(named).expect("a scenario"));
    let answers = checked.expect("it is checked").answers;
    let safety = answers.iter().find(|answer| answer.property == "election-safety");
    let why = safety.and_then(|answer| answer.conclusion.why.clone()).expect("a violation");
    let (first, second) = why.split_once(" and ").expect("two reigns");
    let led = second.strip_suffix(" both led view 1").expect("a view");
    assert!(first.starts_with("n2") && led.starts_with("n2"), "{why}: n2 is its primary");
}

/// n3 promises 1.n2 after 1.n1, so n1 could choose nothing any more. It forgets both promises and
/// accepts the value of 1.n1 in the slot in which n2 and n1 have accepted that of 1.n2.
#[test]
fn a_forgotten_promise_chooses_two_values() {
    let told = told::<MultiPaxos>("forgets-promise");
    let expected = [
        "n2 runs for ballot 1.n2 (round 1 of n2), promises it itself (and reports nothing \
         accepted) and asks n1 and n3 to promise it.",
        "n1 runs for ballot 1.n1 (round 1 of n1), promises it itself (and reports nothing \
         accepted) and asks n2 and n3 to promise it.",
        "n3 promises n1 ballot 1.n1 and reports nothing accepted.",
        "n1 gets n3's promise of ballot 1.n1, which reports nothing accepted. It has the \
         promises of n1 and n3, a majority: it leads ballot 1.n1. It is told of nothing that \
         was accepted: it may propose what it likes from slot 1 on.",
        "n3 promises n2 ballot 1.n2, which is above 1.n1 (the same round of a lower node), and \
         reports nothing accepted.",
        "n3 crashes and forgets all that is not on a disk.",
        "n2 gets n3's promise of ballot 1.n2, which reports nothing accepted. It has the \
         promises of n2 and n3, a majority: it leads ballot 1.n2. It is told of nothing that \
         was accepted: it may propose what it likes from slot 1 on.",
        "n2 takes v1 from a client for slot 1 (the first slot in which it has accepted \
         nothing), accepts it in slot 1 itself and asks n1 and n3 to accept it.",
        "n3 restarts; its disk is intact. It has forgotten its promise of ballot 1.n2, \
         although it is on its disk. By the rule, n3 reads its promise back from its disk when \
         it restarts. Without the bug, it remembers its promise of ballot 1.n2.",
        "n1 takes v2 from a client for slot 1 (the first slot in which it has accepted \
         nothing), accepts it in slot 1 itself and asks n2 and n3 to accept it.",
        "n1 accepts v1 in slot 1 from n2 under ballot 1.n2 in place of v2 under ballot 1.n1 and \
         tells n2 so. It thus promises ballot 1.n2, which is above 1.n1 (the same round of a \
         lower node). It no longer leads ballot 1.n1. It completes the majority of n1 and n2 \
         that has accepted v1 in slot 1 under ballot 1.n2: v1 is now chosen there.",
        "n3 accepts v2 in slot 1 from n1 under ballot 1.n1, tells n1 so and thus promises \
         ballot 1.n1. It completes the majority of n1 and n3 that has accepted v2 in slot 1 \
         under ballot 1.n1: v2 is now chosen there, besides v1.",
    ];
    assert_eq!(told, expected);
}

/// op3 is committed in view 1 by n2 and n3. n1, still in view 0, has the longer log, and n3 takes
/// that for view 2, although its own is of a later view.
#[test]
fn the_longest_log_need_not_be_the_latest() {
    let told = told::<Viewstamped>("longest-log-wins");
    let last = "n3 gets n1's offer for view 2: the log [op1, op2], last normal in view 0. It has \
                the offers of n1 and itself, a quorum. It starts view 2 as its primary with the \
                log [op1, op2]. It sends this log to n1 and n2. By the rule, n3 takes a log that \
                was last normal in the latest view, and the longest only among such logs. Without \
                the bug, it starts view 2 as its primary with the log [op3].";
    assert_eq!(told.last().map(String::as_str), Some(last));
    let committed = "n2 hears that n3 had the log of view 1 up to number 1. It counts op3 as \
                     committed and acknowledges op3 to the client, because, as far as it knows, \
                     the log up to there is that of n3 and itself, a quorum.";
    assert!(told.iter().any(|step| step == committed), "{told:#?}");
}

#[test]
fn a_narration_fits_a_page() {
    let scene = counterexample::<Viewstamped>("longest-log-wins").scene;
    let text = narrative::tell(&scene);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let words = |text: &str| prose::wrap(text, usize::MAX).join(" ");
    let steps = narrative::by_step(&scene);
    assert_eq!(steps.len(), scene.frames.len());
    assert_eq!(words(&steps.concat()), words(&text));
}

/// A state as the `itf` crate reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct State {
    step: String,
    network: String,
    nodes: BTreeMap<String, Node>,
}

/// A node in such a state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Node {
    up: bool,
    #[serde(with = "As::<de::Option<_>>")]
    leads: Option<u64>,
}

#[test]
fn another_tool_reads_the_states_of_a_run() {
    let scene = counterexample::<Raft>("forgets-vote").scene;
    let trace: itf::Trace<State> = itf::trace_from_str(&export(&scene)).expect("it is ITF");
    assert_eq!(trace.states.len(), 1 + scene.frames.len());
    assert_eq!(trace.loop_index, None);
    assert_eq!(trace.states[1].value.step, scene.frames[0].name);
    // n3 leads after step 4 and is down after step 5.
    let n3 = |step: usize| trace.states[step].value.nodes["n3"].clone();
    assert_eq!(n3(4), Node { up: true, leads: Some(1) });
    assert_eq!(n3(5), Node { up: false, leads: None });
}

/// After the last state comes the first of the lap, which the first step of the lap leads to.
#[test]
fn another_tool_reads_where_a_run_goes_round() {
    let asked = liveness::parse(Raft::about().corpus, Raft::about()).expect("a corpus");
    let asked = asked.into_iter().find(|asked| asked.name == "one-way").expect("it is asked");
    let checked = check_liveness::<Raft>(&asked).expect("it is decided");
    let shown = checked.answers.into_iter().find_map(|answer| answer.shown).expect("a run");
    let trace: itf::Trace<State> = itf::trace_from_str(&export(&shown.scene)).expect("it is ITF");
    let lap = usize::try_from(trace.loop_index.expect("it goes round")).expect("a position");
    assert_eq!(trace.states[lap].value.step, shown.cycle[0]);
    assert_eq!(trace.states.len() - lap, shown.cycle.len());
    let diagram = mermaid::export(&shown.scene, &Caption::default());
    assert_eq!(diagram.matches("  loop for ever\n").count(), 1);
    assert!(diagram.ends_with("  end\n"), "{diagram}");
}

/// n2 votes for n1, whose log is older than its own. n3 then completes the quorum that has n2's
/// entry, although n2 leads no more and nobody counts.
#[test]
fn a_commit_that_no_server_knows_of_is_told() {
    let told = told::<Raft>("compares-length-only");
    let vote = "n2 hears of term 3 from n1 and steps down. It grants its vote in term 3 to n1, \
                although n1's request names a last entry of term 1, and its own last entry is of \
                term 2. By the rule, n2 compares the terms of the last entries first, and the \
                lengths of the logs only if those terms are equal. Without the bug, it does not \
                vote for n1 in term 3: n1's request names a last entry of term 1, and its own \
                last entry is of term 2.";
    assert!(told.iter().any(|step| step == vote), "{told:#?}");
    let committed = "It completes, with n2, a quorum that has 2:v2 in term 2: 2:v2 is committed, \
                     although no server has counted its copies yet.";
    assert!(told.iter().any(|step| step.ends_with(committed)), "{told:#?}");
}
