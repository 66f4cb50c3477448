//! Source in, mutants out.

use super::{Mutant, Source, mutate};

/// A protocol with one handler, and what it needs around it.
const AROUND: &str = "
#[derive(Clone, Debug, PartialEq)]
pub struct Server { pub term: u64, pub log: Vec<u64>, pub commit: usize,
    pub vote: Option<Id>, pub role: Role }
pub enum Message { Vote { term: u64, commit: usize } }
#[derive(PartialEq)]
pub enum Role { Follower, Leader }
impl Server {
    fn last(&self) -> usize { self.log.len() }
}
impl Actor for Node {
    fn on_msg(&self, id: Id, s: &mut Server, src: Id, msg: Message, o: &mut Out<Self>) {
        BODY
    }
}
";

/// The mutants of a handler with this body, apart from those of the functions around it, and the
/// whole text.
fn of(body: &str) -> (Vec<Mutant>, String) {
    let sources =
        [Source { path: "models/toy/mod.rs".to_string(), text: AROUND.replace("BODY", body) }];
    let mutated = mutate(&sources, 1).unwrap();
    let text = mutated.files[0].text.clone();
    syn::parse_file(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    (mutated.mutants.into_iter().filter(|mutant| mutant.function == "on_msg").collect(), text)
}

/// Each as `operator: original -> mutated`.
fn told(body: &str) -> Vec<String> {
    let tell = |m: &Mutant| format!("{}: {} -> {}", m.operator, m.original, m.mutated);
    of(body).0.iter().map(tell).collect()
}

/// Those of these operators only.
fn told_of(operators: &[&str], body: &str) -> Vec<String> {
    let is_one =
        |text: &String| operators.iter().any(|operator| text.starts_with(&format!("{operator}: ")));
    told(body).into_iter().filter(is_one).collect()
}

#[test]
fn a_guard_is_dropped_and_its_comparison_is_off_by_one() {
    assert_eq!(
        told("if s.term < src_term { return; }"),
        [
            "condition true: s.term < src_term -> true",
            "condition false: s.term < src_term -> false",
            "comparison: s.term < src_term -> s.term <= src_term",
        ]
    );
}

#[test]
fn where_terms_must_be_equal_older_or_newer_ones_pass() {
    assert_eq!(
        told_of(&["comparison", "negated"], "if s.term != msg_term { return; }"),
        [
            "negated: s.term != msg_term -> s.term == msg_term",
            "comparison: s.term != msg_term -> s.term > msg_term",
            "comparison: s.term != msg_term -> s.term < msg_term",
        ]
    );
}

#[test]
fn what_has_no_order_is_only_negated() {
    assert_eq!(
        told_of(&["comparison", "negated"], "if s.role == Role::Leader { return; }"),
        ["negated: s.role == Role::Leader -> s.role != Role::Leader"]
    );
}

#[test]
fn nothing_is_below_zero() {
    assert_eq!(
        told_of(&["comparison", "negated"], "if n > 0 { return; } if n == 0 { return; }"),
        ["negated: n == 0 -> n != 0"]
    );
}

#[test]
fn each_side_of_a_conjunction_is_dropped() {
    assert_eq!(
        told_of(&["conjunct dropped", "disjunct dropped"], "if a && b && (c || d) { return; }"),
        [
            "conjunct dropped: a -> true",
            "conjunct dropped: b -> true",
            "conjunct dropped: (c || d) -> true",
            "disjunct dropped: c -> false",
            "disjunct dropped: d -> false",
        ]
    );
}

#[test]
fn a_quorum_is_one_more_or_one_less_and_half() {
    assert_eq!(
        told_of(&["quorum", "comparison"], "if votes.len() * 2 > all { return; }"),
        [
            "comparison: votes.len() * 2 > all -> votes.len() * 2 >= all",
            "quorum: votes.len() * 2 > all -> (votes.len() + 1) * 2 > all",
            "quorum: votes.len() * 2 > all -> (votes.len()).saturating_sub(1) * 2 > all",
        ]
    );
}

#[test]
fn of_two_that_are_compared_together_one_is_not_looked_at() {
    let comparisons = told_of(&["comparison"], "if (a, b) >= (c, d) { return; }");
    assert_eq!(
        comparisons,
        [
            "comparison: (a, b) >= (c, d) -> (a, b) > (c, d)",
            "comparison: (a, b) >= (c, d) -> a >= c",
            "comparison: (a, b) >= (c, d) -> b >= d",
        ]
    );
}

#[test]
fn commands_and_assignments_are_left_out() {
    assert_eq!(
        told_of(
            &["save left out", "send left out", "timer left out", "assignment left out"],
            "s.vote = Some(src); o.save(s.clone()); o.send(src, msg); o.set_timer(Timer::Election, T);"
        ),
        [
            "assignment left out: s.vote = Some(src) -> ",
            "save left out: o.save(s.clone()) -> ",
            "send left out: o.send(src, msg) -> ",
            "timer left out: o.set_timer(Timer::Election, T) -> ",
        ]
    );
}

#[test]
fn a_save_comes_after_the_send_that_depends_on_it() {
    let (mutants, text) = of("if news { o.save(s.clone()); } let x = 1; o.send(src, msg);");
    let late: Vec<&Mutant> = mutants.iter().filter(|m| m.operator == "save after send").collect();
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].original, "if news { o.save(s.clone()); } .. o.send(src, msg);");
    let n = late[0].number;
    assert!(
        text.contains(&format!("crate::switch::swap({n}, o, __before_{n}, __after_{n});")),
        "{text}"
    );
}

#[test]
fn a_field_gets_the_entry_before_or_after_or_nothing() {
    assert_eq!(
        told_of(&["index", "field reset"], "let m = Message::Vote { term: s.term, commit: 0 };"),
        [
            "index: s.term -> s.term + 1",
            "index: s.term -> (s.term).saturating_sub(1)",
            "field reset: s.term -> Default::default()",
        ]
    );
    assert_eq!(
        told_of(&["index", "field reset"], "s.commit = s.last();"),
        [
            "index: s.last() -> s.last() + 1",
            "index: s.last() -> (s.last()).saturating_sub(1)",
            "field reset: s.last() -> Default::default()",
        ]
    );
}

#[test]
fn a_field_in_shorthand_keeps_its_name() {
    let (mutants, text) = of("let m = Message::Vote { term, commit };");
    assert_eq!(mutants[0].mutated, "term: term + 1");
    assert!(text.contains("{ term: (if !crate::switch::on("), "{text}");
}

#[test]
fn slices_begin_and_end_one_off() {
    assert_eq!(
        told_of(&["index"], "let rest = s.log[..shared].to_vec();"),
        ["index: shared -> shared + 1", "index: shared -> (shared).saturating_sub(1)"]
    );
}

#[test]
fn loops_end_early_and_extremes_change_places() {
    assert_eq!(
        told_of(&["loop ends early", "extreme"], "for peer in peers { f(a.max(b)); }"),
        ["loop ends early: peers -> peers, without the last", "extreme: a.max(b) -> a.min(b)"]
    );
}

#[test]
fn one_of_several_patterns_is_dropped() {
    assert_eq!(
        told_of(
            &["pattern dropped"],
            "let busy = matches!(s.role, Role::Follower | Role::Leader);"
        ),
        [
            "pattern dropped: matches!(s.role, Role::Follower | Role::Leader) -> matches!(s.role, Role::Leader)",
            "pattern dropped: matches!(s.role, Role::Follower | Role::Leader) -> matches!(s.role, Role::Follower)",
        ]
    );
}

#[test]
fn what_a_planted_bug_does_is_left_alone() {
    assert_eq!(
        told("if self.bug == Some(Bug::Forgets) { s.vote = None; o.save(s.clone()); }"),
        [""; 0]
    );
    assert_eq!(
        told("let late = self.bug == Some(Bug::Late); if late { o.save(s.clone()); }"),
        [""; 0]
    );
    assert_eq!(
        told("match self.bug { Some(Bug::A) => o.save(a), _ => o.save(b) }"),
        ["save left out: o.save(b) -> "]
    );
    assert_eq!(told("if a < b && self.bug == Some(Bug::Any) { return; }"), [""; 0]);
    // The rule beside it is not.
    assert_eq!(
        told_of(
            &["condition true", "condition false"],
            "if a < b || self.bug == Some(Bug::Any) { return; }"
        ),
        ["condition true: a < b -> true"]
    );
}

#[test]
fn only_what_handlers_reach_is_mutated_and_nothing_that_shows_or_judges() {
    let text = "
        impl Actor for Node {
            fn on_start(&self, id: Id, storage: &Option<u8>, o: &mut Out<Self>) { self.begin(o); }
        }
        impl Election for Node {
            fn is_dead(&self) -> bool { self.x < 1 }
        }
        impl Debug for Node {
            fn begin(&self) -> bool { self.x < 1 }
        }
        impl Node {
            fn begin(&self, o: &mut Out<Self>) { o.save(NodeSet::first(1)); }
            fn first(&self, o: &mut Out<Self>) { o.save(1); }
            fn idle(&self, o: &mut Out<Self>) { o.save(1); }
        }
        #[cfg(test)]
        mod tests { fn begin() { o.save(1); } }
    ";
    let source = |path: &str| Source { path: path.to_string(), text: text.to_string() };
    let mutated = mutate(&[source("models/toy/mod.rs")], 1).unwrap();
    let functions: Vec<&str> = mutated.mutants.iter().map(|m| m.function.as_str()).collect();
    assert_eq!(functions, ["on_start", "begin", "begin", "begin"]);
    assert!(mutated.files[0].text.contains("#[cfg(any())] #[cfg(test)]"));
    for judges in ["witness.rs", "dead.rs", "renumbering.rs", "rules/votes.rs"] {
        let judges = &format!("models/toy/{judges}");
        assert_eq!(mutate(&[source(judges)], 1).unwrap().mutants, [], "{judges}");
    }
}

#[test]
fn what_is_equal_in_all_but_its_place_is_numbered() {
    let (mutants, _) = of("s.vote = None; s.vote = None;");
    let left_out = mutants.iter().filter(|m| m.operator == "assignment left out");
    assert_eq!(left_out.map(|m| m.occurrence).collect::<Vec<_>>(), [1, 2]);
}
