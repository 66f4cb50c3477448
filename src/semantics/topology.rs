//! Named sets of directed links.

use std::fmt;

use serde::{Deserialize, Serialize};
use stateright::actor::Id;

use crate::election::NodeSet;
use crate::support::plain::among;

/// Which directed links are up, and under which name.
///
/// Names: `mesh` (all), `star(n1)` (only links to and from n1), `line(n1,n2,n3)` (neighbours only),
/// `isolate(n1)`, `cut(n1-n2)` (both directions), `cut(n1>n2)` (one direction), `split(n1,n2|n3)` (groups). Cuts may
/// be joined: `cut(n1-n2,n2>n3)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Topology {
    /// As in the scenario.
    pub name: String,
    up: Vec<LinkRow>,
}

/// A row of the link matrix.
type LinkRow = u32;

impl Topology {
    /// Parses a name for a system of `n` nodes; or says what was expected.
    pub fn parse(name: &str, n: usize) -> Result<Topology, String> {
        let wrong = |why: &str| {
            format!(
                "topology `{name}`: {why}; expected mesh, star(n1), line(n1,n2,..), isolate(n1), cut(n1-n2), \
                 cut(n1>n2) or split(n1,n2|n3)"
            )
        };
        let node = |text: &str| -> Result<usize, String> {
            let text = text.trim();
            match text.strip_prefix('n').and_then(|d| d.parse::<usize>().ok()) {
                Some(i) if (1..=n).contains(&i) => Ok(i - 1),
                _ => Err(wrong(&format!("`{text}` is not one of the nodes n1..n{n}"))),
            }
        };
        let (kind, inner) = match name.split_once('(') {
            None => (name.trim(), ""),
            Some((kind, rest)) => {
                (kind.trim(), rest.trim_end().strip_suffix(')').ok_or_else(|| wrong("`)` missing"))?)
            }
        };
        let no_twins = |nodes: &[usize]| match (1..nodes.len()).find(|&i| nodes[..i].contains(&nodes[i])) {
            Some(i) => Err(wrong(&format!("n{} stands twice", nodes[i] + 1))),
            None => Ok(()),
        };
        let mut up = vec![vec![false; n]; n];
        match kind {
            "mesh" if name.trim() != "mesh" => return Err(wrong("a mesh names no nodes")),
            "mesh" => up.iter_mut().for_each(|row| row.fill(true)),
            "star" => {
                let hub = node(inner)?;
                up[hub].fill(true);
                up.iter_mut().for_each(|row| row[hub] = true);
            }
            "line" => {
                let nodes = inner.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
                no_twins(&nodes)?;
                for pair in nodes.windows(2) {
                    (up[pair[0]][pair[1]], up[pair[1]][pair[0]]) = (true, true);
                }
            }
            "isolate" => {
                let alone = node(inner)?;
                up.iter_mut().for_each(|row| row.fill(true));
                up[alone].fill(false);
                up.iter_mut().for_each(|row| row[alone] = false);
            }
            "cut" => {
                up.iter_mut().for_each(|row| row.fill(true));
                for link in inner.split(',') {
                    let (a, b, is_one_way) = match (link.split_once('-'), link.split_once('>')) {
                        (Some((a, b)), _) => (node(a)?, node(b)?, false),
                        (None, Some((a, b))) => (node(a)?, node(b)?, true),
                        (None, None) => {
                            return Err(wrong(&format!("`{link}` is neither n1-n2 nor n1>n2")));
                        }
                    };
                    if a == b {
                        return Err(wrong(&format!("`{link}` cuts a node from itself")));
                    }
                    if !up[a][b] || !is_one_way && !up[b][a] {
                        return Err(wrong(&format!("`{link}` is cut already")));
                    }
                    up[a][b] = false;
                    up[b][a] &= is_one_way;
                }
            }
            "split" => {
                let mut all = Vec::new();
                for group in inner.split('|') {
                    let nodes = group.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
                    all.extend(&nodes);
                    no_twins(&all)?;
                    for &a in &nodes {
                        nodes.iter().for_each(|&b| up[a][b] = true);
                    }
                }
            }
            _ => {
                let known = ["mesh", "star", "line", "isolate", "cut", "split"];
                let hint = among(kind, known.into_iter());
                return Err(wrong(&format!("unknown kind{hint}")));
            }
        }
        for (i, row) in up.iter_mut().enumerate() {
            row[i] = true;
        }
        let bits =
            |row: &Vec<bool>| row.iter().enumerate().fold(0, |bits, (i, &on)| bits | (u32::from(on) << i));
        Ok(Topology { name: name.to_string(), up: up.iter().map(bits).collect() })
    }

    /// Whether messages from `src` arrive at `dst`. A node always reaches itself.
    pub fn is_up(&self, src: Id, dst: Id) -> bool {
        self.up[usize::from(src)] >> usize::from(dst) & 1 == 1
    }

    /// The nodes of `among` that `id` has links with in both directions, itself included.
    pub fn neighbours(&self, id: Id, among: NodeSet) -> NodeSet {
        among.iter().filter(|&o| self.is_up(id, o) && self.is_up(o, id)).collect()
    }

    /// Whether all links are up.
    pub fn is_mesh(&self) -> bool {
        self.up.iter().all(|row| row.count_ones() as usize == self.up.len())
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_or_a_link_that_stands_twice_is_refused() {
        for (name, why) in [
            ("split(n1|n1)", "n1 stands twice"),
            ("split(n1,n2|n3,n1)", "n1 stands twice"),
            ("line(n1,n1)", "n1 stands twice"),
            ("line(n1,n2,n1)", "n1 stands twice"),
            ("cut(n1-n1)", "cuts a node from itself"),
            ("cut(n2>n2)", "cuts a node from itself"),
            ("cut(n1-n2,n2-n1)", "is cut already"),
            ("cut(n1-n2,n2>n1)", "is cut already"),
            ("mesh(n1)", "a mesh names no nodes"),
            ("messh", "did you mean `mesh`?"),
        ] {
            let refused = Topology::parse(name, 3).expect_err(name);
            assert!(refused.contains(why), "{name}: {refused}");
        }
    }

    #[test]
    fn both_directions_of_a_link_may_be_cut_one_after_the_other() {
        let up = |name| Topology::parse(name, 3).expect(name).up;
        assert_eq!(up("cut(n1>n2,n2>n1)"), up("cut(n1-n2)"));
        assert_eq!(up("split(n1|n2)"), up("split(n1|n2|n3)"), "who is in no group is alone");
    }
}
