//! States of the system as rows of numbers, stored one after the other.
//!
//! A row holds the id of a world, then that of each node's local state, then that of the flow in
//! each column. Beside each row stands its fingerprint.

use super::ids::{FlowId, Key, LocalId, Number, WorldId};

/// A cell of a row: an integer that holds the id of some component.
pub(crate) trait Cell: Copy + Send + Sync + 'static {
    /// The cell that holds this id.
    fn of(id: impl Key) -> Self;

    /// The bits of the id that the cell holds.
    fn bits(self) -> u32;

    /// The world that the cell stands for, if it is the first of a row.
    #[inline]
    fn world(self) -> WorldId {
        WorldId::from_bits(self.bits())
    }

    /// The local state that the cell stands for, if it is that of a node.
    #[inline]
    fn local(self) -> LocalId {
        LocalId::from_bits(self.bits())
    }

    /// The flow that the cell stands for, if it is that of a column.
    #[inline]
    fn flow(self) -> FlowId {
        FlowId::from_bits(self.bits())
    }
}

impl Cell for u16 {
    #[inline]
    fn of(id: impl Key) -> Self {
        debug_assert!(u16::try_from(id.bits()).is_ok());
        id.bits() as u16
    }

    #[inline]
    fn bits(self) -> u32 {
        u32::from(self)
    }
}

impl Cell for u32 {
    #[inline]
    fn of(id: impl Key) -> Self {
        id.bits()
    }

    #[inline]
    fn bits(self) -> u32 {
        self
    }
}

/// A type of cell that can hold everything that a cell of type `F` can, because it is no smaller.
pub(crate) trait CopyFrom<F>: Cell {
    /// Copies cells into other cells; there are as many of both.
    fn copy(to: &mut [Self], from: &[F]);
}

impl<C: Cell> CopyFrom<C> for C {
    #[inline]
    fn copy(to: &mut [C], from: &[C]) {
        // A call of `memcpy` would take longer than copying so few cells here: in pieces of eight,
        // an even number of them, where the last may overlap those before.
        let mut pieces = |starts: &[usize]| {
            for &start in starts {
                to[start..start + 8].copy_from_slice(&from[start..start + 8]);
            }
        };
        match from.len() {
            n @ 8..=16 => pieces(&[0, n - 8]),
            n @ 17..=32 => pieces(&[0, 8, n - 16, n - 8]),
            _ => to.copy_from_slice(from),
        }
    }
}

impl CopyFrom<u16> for u32 {
    fn copy(to: &mut [u32], from: &[u16]) {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = u32::from(from));
    }
}

/// Rows of the same width.
pub(crate) struct Rows<C> {
    width: usize,
    sums: Vec<u64>,
    /// Cells behind the last row mean nothing.
    cells: Vec<C>,
}

impl<C: Cell> Rows<C> {
    /// Room for so many rows.
    pub(crate) fn new(width: usize, rows: usize) -> Self {
        let cells = vec![C::of(FlowId::EMPTY); rows * width];
        Rows { width, sums: Vec::with_capacity(rows), cells }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Appends a copy of a row of others, which are no wider, with this fingerprint. The caller
    /// changes the copy where it stands. There must be room for it.
    #[inline]
    pub(crate) fn push_from<F: Cell>(&mut self, from: &Rows<F>, number: usize, sum: u64) -> &mut [C]
    where
        C: CopyFrom<F>,
    {
        let row = &mut self.cells[self.sums.len() * self.width..][..self.width];
        self.sums.push(sum);
        if from.width < self.width {
            let (old, new) = row.split_at_mut(from.width);
            C::copy(old, from.get(number));
            new.fill(C::of(FlowId::EMPTY));
        } else {
            C::copy(row, from.get(number));
        }
        row
    }

    fn append<F: Cell>(&mut self, from: &Rows<F>)
    where
        C: CopyFrom<F>,
    {
        for i in 0..from.len() {
            self.push_from(from, i, from.sum(i));
        }
    }

    /// Takes the last row away.
    pub(crate) fn pop(&mut self) {
        self.sums.pop();
    }

    /// Gives unused memory back. No more rows will be added.
    pub(crate) fn close(&mut self) {
        self.cells.truncate(self.sums.len() * self.width);
        self.cells.shrink_to_fit();
        self.sums.shrink_to_fit();
    }

    /// A row.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &[C] {
        &self.cells[number * self.width..][..self.width]
    }

    /// The fingerprint of a row.
    #[inline]
    pub(crate) fn sum(&self, number: usize) -> u64 {
        self.sums[number]
    }

    fn bytes(&self) -> u64 {
        (self.sums.capacity() * 8 + self.cells.capacity() * size_of::<C>()) as u64
    }
}

/// Rows with cells of two bytes, if these are enough for all of them, and otherwise of four.
pub(crate) enum Packed {
    /// Cells of two bytes.
    Short(Rows<u16>),
    /// Cells of four bytes.
    Long(Rows<u32>),
}

impl Packed {
    /// One row.
    pub(crate) fn new(row: &[u32], sum: u64) -> Packed {
        let (width, sums) = (row.len(), vec![sum]);
        match row.iter().map(|&id| u16::try_from(id)).collect() {
            Ok(cells) => Packed::Short(Rows { width, sums, cells }),
            Err(_) => Packed::Long(Rows { width, sums, cells: row.to_vec() }),
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Packed::Short(rows) => rows.len(),
            Packed::Long(rows) => rows.len(),
        }
    }

    /// These rows, followed by the others, as rows of this width. Neither has wider rows than that.
    pub(crate) fn join(&self, other: &Packed, width: usize) -> Packed {
        let rows = self.len() + other.len();
        match (self, other) {
            (Packed::Short(a), Packed::Short(b)) => {
                let mut short = Rows::new(width, rows);
                short.append(a);
                short.append(b);
                Packed::Short(short)
            }
            _ => {
                let mut long = Rows::<u32>::new(width, rows);
                for packed in [self, other] {
                    match packed {
                        Packed::Short(rows) => long.append(rows),
                        Packed::Long(rows) => long.append(rows),
                    }
                }
                Packed::Long(long)
            }
        }
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Packed::Short(rows) => rows.bytes(),
            Packed::Long(rows) => rows.bytes(),
        }
    }
}
