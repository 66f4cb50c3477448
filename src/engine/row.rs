//! System states as numbers: one by itself, to be changed, and many packed, in the frontier.

use super::tables::{Local, WorldId};

/// A number in a packed state: as short as the tables allow.
pub trait Cell: Copy + Default + Send + Sync + 'static {
    /// The largest number that fits.
    const MOST: u32;
    fn of(id: u32) -> Self;
    fn id(self) -> u32;
}

impl Cell for u16 {
    const MOST: u32 = u16::MAX as u32;

    #[inline]
    fn of(id: u32) -> Self {
        debug_assert!(id <= Self::MOST);
        id as u16
    }

    #[inline]
    fn id(self) -> u32 {
        u32::from(self)
    }
}

impl Cell for u32 {
    const MOST: u32 = u32::MAX;

    #[inline]
    fn of(id: u32) -> Self {
        id
    }

    #[inline]
    fn id(self) -> u32 {
        self
    }
}

/// A system state that can be looked at: a number a node, one for the world, and the network: messages, or flows where
/// order is kept.
///
/// The order of the network's numbers carries no meaning, but it is the same in every run: it follows from the path on
/// which the state was first found.
pub trait Look {
    type Cell: Cell;
    /// The sum of the shares of all components.
    fn sum(&self) -> u64;
    fn world(&self) -> WorldId;
    fn locals(&self) -> &[Self::Cell];
    fn net(&self) -> &[Self::Cell];

    #[inline]
    fn nodes(&self) -> usize {
        self.locals().len()
    }

    #[inline]
    fn local(&self, node: usize) -> Local {
        self.locals()[node].id()
    }

    /// The message, or flow, at a position of the network.
    #[inline]
    fn at(&self, at: usize) -> u32 {
        self.net()[at].id()
    }

    /// Whether what stands at this position of the network stands at none before.
    #[inline]
    fn is_first(&self, at: usize) -> bool {
        let id = self.at(at);
        !self.net()[..at].iter().any(|other| other.id() == id)
    }
}

/// A system state by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub sum: u64,
    pub world: WorldId,
    pub nodes: usize,
    pub locals: [Local; 16],
    pub net: Vec<u32>,
}

impl Row {
    pub fn copy_from(&mut self, other: &impl Look) {
        self.sum = other.sum();
        self.world = other.world();
        self.nodes = other.nodes();
        self.locals.iter_mut().zip(other.locals()).for_each(|(to, from)| *to = from.id());
        self.net.clear();
        self.net.extend(other.net().iter().map(|id| id.id()));
    }
}

impl Look for Row {
    type Cell = u32;

    fn sum(&self) -> u64 {
        self.sum
    }
    fn world(&self) -> WorldId {
        self.world
    }
    fn locals(&self) -> &[u32] {
        &self.locals[..self.nodes]
    }
    fn net(&self) -> &[u32] {
        &self.net
    }
}

/// A packed state: its world, its nodes, its network.
#[derive(Clone, Copy)]
pub struct Packed<'a, C> {
    sum: u64,
    nodes: usize,
    cells: &'a [C],
}

impl<C: Cell> Look for Packed<'_, C> {
    type Cell = C;

    #[inline]
    fn sum(&self) -> u64 {
        self.sum
    }
    #[inline]
    fn world(&self) -> WorldId {
        self.cells[0].id()
    }
    #[inline]
    fn locals(&self) -> &[C] {
        &self.cells[1..=self.nodes]
    }
    #[inline]
    fn net(&self) -> &[C] {
        &self.cells[1 + self.nodes..]
    }
}

/// Packed states, one after the other.
#[derive(Default)]
pub struct Rows<C> {
    sums: Vec<u64>,
    cells: Vec<C>,
    /// The cells of each state.
    lens: Vec<u16>,
}

impl<C: Cell> Rows<C> {
    pub fn len(&self) -> usize {
        self.lens.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lens.is_empty()
    }

    /// The states, and where the cells of each start.
    pub fn iter(&self, nodes: usize) -> impl Iterator<Item = (usize, Packed<'_, C>)> {
        let mut at = 0;
        self.lens.iter().zip(&self.sums).map(move |(&len, &sum)| {
            let start = at;
            at += usize::from(len);
            (start, Packed { sum, nodes, cells: &self.cells[start..at] })
        })
    }

    /// The state of this number, whose cells start here.
    #[inline]
    pub fn get(&self, number: usize, start: usize, nodes: usize) -> Packed<'_, C> {
        let cells = &self.cells[start..start + usize::from(self.lens[number])];
        Packed { sum: self.sums[number], nodes, cells }
    }

    pub fn last_start(&self) -> usize {
        self.cells.len() - self.lens.last().map_or(0, |&len| usize::from(len))
    }

    pub fn push(&mut self, row: &impl Look) {
        let start = self.cells.len();
        self.cells.push(C::of(row.world()));
        self.cells.extend(row.locals().iter().map(|id| C::of(id.id())));
        self.cells.extend(row.net().iter().map(|id| C::of(id.id())));
        self.close(start, row.sum());
    }

    /// Appends what `from` becomes when one node changes, and perhaps the world; a message is taken out of the network,
    /// and others are put in.
    #[inline]
    pub fn push_changed(&mut self, from: &Packed<'_, C>, sum: u64, change: &Change<'_>) {
        let start = self.cells.len();
        self.cells.extend_from_slice(from.cells);
        let cells = &mut self.cells[start..];
        cells[0] = C::of(change.world);
        cells[1 + change.node] = C::of(change.after);
        if let Some(at) = change.takes {
            // The last one takes its place, as in `Vec::swap_remove`.
            cells[1 + from.nodes + at] = cells[cells.len() - 1];
            self.cells.pop();
        }
        self.cells.extend(change.sends.iter().map(|&id| C::of(id)));
        self.close(start, sum);
    }

    #[inline]
    fn close(&mut self, start: usize, sum: u64) {
        self.sums.push(sum);
        let len = self.cells.len() - start;
        self.lens.push(u16::try_from(len).expect("fewer messages in flight than 65,000"));
    }

    /// Moves all states of another over.
    pub fn append(&mut self, mut other: Rows<C>) {
        self.sums.append(&mut other.sums);
        self.cells.append(&mut other.cells);
        self.lens.append(&mut other.lens);
    }

    /// The same states in cells for larger numbers.
    pub fn widen<W: Cell>(&self) -> Rows<W> {
        let cells = self.cells.iter().map(|cell| W::of(cell.id())).collect();
        Rows { sums: self.sums.clone(), cells, lens: self.lens.clone() }
    }

    /// The states, in no more memory than they need; room for others stays here.
    pub fn take(&mut self) -> Rows<C> {
        let taken = Rows { sums: self.sums.clone(), cells: self.cells.clone(), lens: self.lens.clone() };
        self.sums.clear();
        self.cells.clear();
        self.lens.clear();
        taken
    }

    pub fn bytes(&self) -> u64 {
        (self.sums.capacity() * 8 + self.cells.capacity() * size_of::<C>() + self.lens.capacity() * 2) as u64
    }
}

/// See [`Rows::push_changed`].
pub struct Change<'a> {
    pub world: WorldId,
    pub node: usize,
    pub after: Local,
    pub takes: Option<usize>,
    pub sends: &'a [u32],
}

/// Appends a number in as few bytes as it needs, seven bits a byte.
#[inline]
pub fn put(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads what [`put`] wrote.
#[inline]
pub fn get(bytes: &[u8], at: &mut usize) -> u32 {
    let mut byte = bytes[*at];
    *at += 1;
    let mut n = u32::from(byte & 0x7f);
    let mut shift = 7;
    while byte >= 0x80 {
        byte = bytes[*at];
        *at += 1;
        n |= u32::from(byte & 0x7f) << shift;
        shift += 7;
    }
    n
}
