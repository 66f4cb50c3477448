//! Named sets of directed links.

use std::fmt;

use serde::{Deserialize, Serialize};
use stateright::actor::Id;

use crate::election::NodeSet;

/// Which directed links are up, and under which name.
///
/// Names: `mesh` (all), `star(n1)` (only links to and from n1), `line(n1,n2,n3)` (neighbours only),
/// `isolate(n1)`, `cut(n1-n2)` (both directions), `cut(n1>n2)` (one direction), `split(n1,n2|n3)` (groups). Cuts may
/// be joined: `cut(n1-n2,n2>n3)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Topology {
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
        let mut up = vec![vec![false; n]; n];
        match kind {
            "mesh" => up.iter_mut().for_each(|row| row.fill(true)),
            "star" => {
                let hub = node(inner)?;
                up[hub].fill(true);
                up.iter_mut().for_each(|row| row[hub] = true);
            }
            "line" => {
                let nodes = inner.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
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
                    if let Some((a, b)) = link.split_once('-') {
                        let (a, b) = (node(a)?, node(b)?);
                        (up[a][b], up[b][a]) = (false, false);
                    } else if let Some((a, b)) = link.split_once('>') {
                        up[node(a)?][node(b)?] = false;
                    } else {
                        return Err(wrong(&format!("`{link}` is neither n1-n2 nor n1>n2")));
                    }
                }
            }
            "split" => {
                for group in inner.split('|') {
                    let nodes = group.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
                    for &a in &nodes {
                        nodes.iter().for_each(|&b| up[a][b] = true);
                    }
                }
            }
            _ => return Err(wrong("unknown kind")),
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

    pub fn is_mesh(&self) -> bool {
        self.up.iter().all(|row| row.count_ones() as usize == self.up.len())
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
