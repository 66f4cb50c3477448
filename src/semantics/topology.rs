//! Named sets of directed links.

use std::fmt;

use serde::{Deserialize, Serialize};
use stateright::actor::Id;

use crate::election::NodeSet;
use crate::support::plain::among;

/// A named set of directed links that are up.
///
/// Names: `mesh` (all), `star(n1)` (only links to and from n1), `line(n1,n2,n3)` (neighbours only),
/// `isolate(n1)`, `cut(n1-n2)` (both directions), `cut(n1>n2)` (one direction), `split(n1,n2|n3)`
/// (groups). Cuts may be joined: `cut(n1-n2,n2>n3)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Topology {
    /// As in the scenario.
    pub name: String,
    up: Vec<LinkRow>,
}

/// A row of the link matrix.
type LinkRow = u32;

impl Topology {
    /// Parses a name for a system of `n` nodes. The error says what was expected.
    pub fn parse(name: &str, n: usize) -> Result<Topology, String> {
        let up = parse_links(name, n).map_err(|why| {
            format!(
                "topology `{name}`: {why}; expected mesh, star(n1), line(n1,n2,..), isolate(n1), cut(n1-n2), \
                 cut(n1>n2) or split(n1,n2|n3)"
            )
        })?;
        let bits = |row: &Vec<bool>| {
            row.iter().enumerate().fold(0, |bits, (i, &on)| bits | (u32::from(on) << i))
        };
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

/// Which links are up: one row for each sender.
type Links = Vec<Vec<bool>>;

/// The links of the topology of this name. Every node is linked to itself.
fn parse_links(name: &str, n: usize) -> Result<Links, String> {
    let (kind, inner) = match name.split_once('(') {
        None => (name.trim(), ""),
        Some((kind, rest)) => (
            kind.trim(),
            rest.trim_end().strip_suffix(')').ok_or_else(|| "`)` missing".to_string())?,
        ),
    };
    let mut up = match kind {
        "mesh" if name.trim() != "mesh" => return Err("a mesh names no nodes".to_string()),
        "mesh" => vec![vec![true; n]; n],
        "star" => star(node(inner, n)?, n),
        "line" => line(&nodes(inner, n)?, n)?,
        "isolate" => isolate(node(inner, n)?, n),
        "cut" => cut(inner, n)?,
        "split" => split(inner, n)?,
        _ => {
            let known = ["mesh", "star", "line", "isolate", "cut", "split"];
            return Err(format!("unknown kind{}", among(kind, known.into_iter())));
        }
    };
    for (i, row) in up.iter_mut().enumerate() {
        row[i] = true;
    }
    Ok(up)
}

fn node(text: &str, n: usize) -> Result<usize, String> {
    let text = text.trim();
    match text.strip_prefix('n').and_then(|d| d.parse::<usize>().ok()) {
        Some(i) if (1..=n).contains(&i) => Ok(i - 1),
        _ => Err(format!("`{text}` is not one of the nodes n1..n{n}")),
    }
}

fn nodes(text: &str, n: usize) -> Result<Vec<usize>, String> {
    text.split(',').map(|name| node(name, n)).collect()
}

fn expect_no_twins(nodes: &[usize]) -> Result<(), String> {
    match (1..nodes.len()).find(|&i| nodes[..i].contains(&nodes[i])) {
        Some(i) => Err(format!("n{} stands twice", nodes[i] + 1)),
        None => Ok(()),
    }
}

fn star(hub: usize, n: usize) -> Links {
    let mut up = vec![vec![false; n]; n];
    up[hub].fill(true);
    up.iter_mut().for_each(|row| row[hub] = true);
    up
}

fn line(nodes: &[usize], n: usize) -> Result<Links, String> {
    expect_no_twins(nodes)?;
    let mut up = vec![vec![false; n]; n];
    for pair in nodes.windows(2) {
        (up[pair[0]][pair[1]], up[pair[1]][pair[0]]) = (true, true);
    }
    Ok(up)
}

fn isolate(alone: usize, n: usize) -> Links {
    let mut up = vec![vec![true; n]; n];
    up[alone].fill(false);
    up.iter_mut().for_each(|row| row[alone] = false);
    up
}

fn cut(links: &str, n: usize) -> Result<Links, String> {
    let mut up = vec![vec![true; n]; n];
    for link in links.split(',') {
        let (a, b, is_one_way) = match (link.split_once('-'), link.split_once('>')) {
            (Some((a, b)), _) => (node(a, n)?, node(b, n)?, false),
            (None, Some((a, b))) => (node(a, n)?, node(b, n)?, true),
            (None, None) => return Err(format!("`{link}` is neither n1-n2 nor n1>n2")),
        };
        if a == b {
            return Err(format!("`{link}` cuts a node from itself"));
        }
        if !up[a][b] || !is_one_way && !up[b][a] {
            return Err(format!("`{link}` is cut already"));
        }
        up[a][b] = false;
        up[b][a] &= is_one_way;
    }
    Ok(up)
}

fn split(groups: &str, n: usize) -> Result<Links, String> {
    let mut up = vec![vec![false; n]; n];
    let mut all = Vec::new();
    for group in groups.split('|') {
        let nodes = nodes(group, n)?;
        all.extend(&nodes);
        expect_no_twins(&all)?;
        for &a in &nodes {
            nodes.iter().for_each(|&b| up[a][b] = true);
        }
    }
    Ok(up)
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
