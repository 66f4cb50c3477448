//! System states as numbers, many of them one after the other. A state is a row: its world, then the local state of each
//! node, then the flow in each column; and with it the sum of what all these add to a fingerprint.

/// A number in a row: as short as the tables allow.
pub trait Cell: Copy + Send + Sync + 'static {
    fn of(id: u32) -> Self;
    fn id(self) -> u32;
}

impl Cell for u16 {
    #[inline]
    fn of(id: u32) -> Self {
        debug_assert!(id <= u32::from(u16::MAX));
        id as u16
    }

    #[inline]
    fn id(self) -> u32 {
        u32::from(self)
    }
}

impl Cell for u32 {
    #[inline]
    fn of(id: u32) -> Self {
        id
    }

    #[inline]
    fn id(self) -> u32 {
        self
    }
}

/// Cells that can hold what others hold.
pub trait Holds<F>: Cell {
    /// Copies cells to as many.
    fn copy(to: &mut [Self], from: &[F]);
}

impl<C: Cell> Holds<C> for C {
    #[inline]
    fn copy(to: &mut [C], from: &[C]) {
        // Few cells are copied faster here than by a call: as an even number of pieces, the last of which overlap.
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

impl Holds<u16> for u32 {
    fn copy(to: &mut [u32], from: &[u16]) {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = u32::from(from));
    }
}

/// Rows of the same width.
pub struct Rows<C> {
    width: usize,
    sums: Vec<u64>,
    /// Those behind the last row mean nothing.
    cells: Vec<C>,
}

impl<C: Cell> Rows<C> {
    /// Room for so many rows.
    pub fn new(width: usize, rows: usize) -> Self {
        Rows { width, sums: Vec::with_capacity(rows), cells: vec![C::of(0); rows * width] }
    }

    pub fn len(&self) -> usize {
        self.sums.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Appends a row of others that are no wider, with another sum; it is to be changed where it then stands. There must be
    /// room for it.
    #[inline]
    pub fn push_from<F: Cell>(&mut self, from: &Rows<F>, number: usize, sum: u64) -> &mut [C]
    where
        C: Holds<F>,
    {
        let row = &mut self.cells[self.sums.len() * self.width..][..self.width];
        self.sums.push(sum);
        if from.width < self.width {
            let (old, new) = row.split_at_mut(from.width);
            C::copy(old, from.get(number));
            new.fill(C::of(0));
        } else {
            C::copy(row, from.get(number));
        }
        row
    }

    fn append<F: Cell>(&mut self, from: &Rows<F>)
    where
        C: Holds<F>,
    {
        for i in 0..from.len() {
            self.push_from(from, i, from.sum(i));
        }
    }

    pub fn pop(&mut self) {
        self.sums.pop();
    }

    /// No more is to come: gives back the room that is left.
    pub fn close(&mut self) {
        self.cells.truncate(self.sums.len() * self.width);
        self.cells.shrink_to_fit();
        self.sums.shrink_to_fit();
    }

    #[inline]
    pub fn get(&self, number: usize) -> &[C] {
        &self.cells[number * self.width..][..self.width]
    }

    #[inline]
    pub fn sum(&self, number: usize) -> u64 {
        self.sums[number]
    }

    fn bytes(&self) -> u64 {
        (self.sums.capacity() * 8 + self.cells.capacity() * size_of::<C>()) as u64
    }
}

/// Rows in cells as short as they may be.
pub enum Packed {
    Short(Rows<u16>),
    Long(Rows<u32>),
}

impl Packed {
    /// One row.
    pub fn new(row: &[u32], sum: u64) -> Packed {
        let (width, sums) = (row.len(), vec![sum]);
        match row.iter().map(|&id| u16::try_from(id)).collect() {
            Ok(cells) => Packed::Short(Rows { width, sums, cells }),
            Err(_) => Packed::Long(Rows { width, sums, cells: row.to_vec() }),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Packed::Short(rows) => rows.len(),
            Packed::Long(rows) => rows.len(),
        }
    }

    /// These rows and others behind them, in rows of this width, no less than theirs.
    pub fn join(&self, other: &Packed, width: usize) -> Packed {
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

    pub fn bytes(&self) -> u64 {
        match self {
            Packed::Short(rows) => rows.bytes(),
            Packed::Long(rows) => rows.bytes(),
        }
    }
}
