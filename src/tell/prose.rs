//! Sentences, wrapped to the width of a page.

use crate::election::listed;

/// The text in lines of at most so many characters. A longer word has a line to itself.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// The beginning of a text, as far as there is room.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Clauses as sentences. Short ones share a sentence; one that has parts of its own stands alone.
pub(super) fn sentences(node: &str, clauses: &[String]) -> String {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let mut is_open = false;
    for clause in clauses {
        let is_long = clause.contains([',', ':']);
        match groups.last_mut() {
            Some(group) if is_open && !is_long => group.push(clause),
            _ => groups.push(vec![clause]),
        }
        is_open = !is_long && !clause.contains(" and ");
    }
    let sentence = |(i, group): (usize, &Vec<&str>)| {
        let subject = if i == 0 { node } else { "It" };
        format!("{subject} {}.", listed(group))
    };
    groups.iter().enumerate().map(sentence).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{sentences, wrap};

    #[test]
    fn words_stay_whole_and_lines_short() {
        assert_eq!(wrap("n1 grants its vote  to n3", 12), ["n1 grants", "its vote to", "n3"]);
        assert_eq!(wrap("a incomprehensibilities b", 5), ["a", "incomprehensibilities", "b"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
    }

    #[test]
    fn short_clauses_share_a_sentence_and_long_ones_do_not() {
        let told = |clauses: &[&str]| {
            sentences("n1", &clauses.iter().map(|clause| clause.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            told(&["stands", "votes", "asks n2 and n3"]),
            "n1 stands, votes and asks n2 and n3."
        );
        assert_eq!(
            told(&["hears of term 2 and steps down", "votes"]),
            "n1 hears of term 2 and steps down. It votes."
        );
        assert_eq!(
            told(&["hears n2", "follows n2, the leader", "answers"]),
            "n1 hears n2. It follows n2, the leader. It answers."
        );
    }
}
