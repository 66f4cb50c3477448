//! The links that are down, in words.

use crate::election::node_name;
use crate::semantics::topology::Topology;

/// The directed links between so many nodes that are down, as sender and receiver.
pub(super) fn cut(links: &Topology, nodes: usize) -> Vec<(usize, usize)> {
    let pairs = (0..nodes).flat_map(|src| (0..nodes).map(move |dst| (src, dst)));
    pairs.filter(|&(src, dst)| !links.is_up(src.into(), dst.into())).collect()
}

/// The same links in short: `n1–n2` in both directions, `n1→n2` in one.
pub(super) fn short(cut: &[(usize, usize)]) -> String {
    parts(cut, |a, b| format!("{a}–{b}"), |a, b| format!("{a}→{b}")).join(", ")
}

/// The same in a sentence.
pub(super) fn sentence(cut: &[(usize, usize)]) -> String {
    if cut.is_empty() {
        return "All links are up again.".to_string();
    }
    let both = |a: &str, b: &str| format!("between {a} and {b}");
    let one = |a: &str, b: &str| format!("from {a} to {b}");
    format!("The links change: nothing passes {}.", parts(cut, both, one).join(" or "))
}

fn parts(
    cut: &[(usize, usize)],
    both: impl Fn(&str, &str) -> String,
    one: impl Fn(&str, &str) -> String,
) -> Vec<String> {
    let part = |&(src, dst): &(usize, usize)| {
        let (a, b) = (node_name(src.into()), node_name(dst.into()));
        match (cut.contains(&(dst, src)), src < dst) {
            (true, true) => Some(both(&a, &b)),
            (true, false) => None,
            (false, _) => Some(one(&a, &b)),
        }
    };
    cut.iter().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_cut_both_ways_is_named_once() {
        let links = Topology::parse("cut(n1-n2,n3>n1)", 3).unwrap();
        let cut = cut(&links, 3);
        assert_eq!(short(&cut), "n1–n2, n3→n1");
        assert_eq!(
            sentence(&cut),
            "The links change: nothing passes between n1 and n2 or from n3 to n1."
        );
    }
}
