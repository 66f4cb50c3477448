//! What a node would have done by the rule, at a step at which a planted bug made a difference.

use crate::tell::prose::sentences;

/// Sentences about that: what the rule asks, in the words of the planted bug, and those clauses of
/// the step without the bug that tell something else. `did` and `clean` are what the node did, and
/// would have done, as clauses whose subject is the node.
pub(super) fn tell(node: &str, instead: Option<&str>, did: &[String], clean: &[String]) -> String {
    let rule = instead.map(|instead| format!("By the rule, {node} {instead}."));
    // A clause with which one of `did` begins has been told, too.
    let is_told = |clause: &String| did.iter().any(|known| known.starts_with(clause.as_str()));
    let own: Vec<String> = clean.iter().filter(|clause| !is_told(clause)).cloned().collect();
    let subject = if rule.is_some() { "it" } else { node };
    let more = (!own.is_empty()).then(|| sentences(&format!("Without the bug, {subject}"), &own));
    Vec::from_iter(rule.into_iter().chain(more)).join(" ")
}

#[cfg(test)]
mod tests {
    use super::tell;

    fn told(instead: Option<&str>, did: &[&str], clean: &[&str]) -> String {
        let owned = |clauses: &[&str]| clauses.iter().map(|c| c.to_string()).collect::<Vec<_>>();
        tell("n1", instead, &owned(did), &owned(clean))
    }

    #[test]
    fn what_the_step_does_anyhow_is_not_told_again() {
        assert_eq!(
            told(Some("counts a voter once"), &["gets a vote and leads"], &["gets a vote"]),
            "By the rule, n1 counts a voter once."
        );
        assert_eq!(
            told(Some("compares terms"), &["hears n2", "votes"], &["hears n2", "does not vote"]),
            "By the rule, n1 compares terms. Without the bug, it does not vote."
        );
    }

    #[test]
    fn a_bug_without_a_description_is_told_by_the_clauses_alone() {
        assert_eq!(told(None, &["votes"], &["waits"]), "Without the bug, n1 waits.");
        assert_eq!(told(None, &["votes"], &[]), "");
    }
}
