//! Values and rows of numbers, each stored once, with a number for each.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Values of one type, each stored once. Many threads may read while none adds.
pub(super) struct Table<T> {
    values: Vec<Arc<T>>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// A value that has a number; or one that has none yet, with its hash.
pub(super) enum Known<T> {
    Is(u32),
    New(u64, Arc<T>),
}

impl<T> Known<T> {
    /// The number, if the value has one.
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Known::Is(number) => Some(*number),
            Known::New(..) => None,
        }
    }
}

impl<T: Hash + PartialEq> Table<T> {
    pub(super) fn new() -> Self {
        let hasher = DefaultHashBuilder::default();
        Table { values: Vec::new(), numbers: HashTable::new(), hasher }
    }

    /// How many there are: their numbers are those below.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value with this number.
    pub(super) fn get(&self, number: u32) -> &Arc<T> {
        &self.values[number as usize]
    }

    /// Looks a value up.
    pub(super) fn find(&self, value: Arc<T>) -> Known<T> {
        let hash = self.hasher.hash_one(&*value);
        let is_it = |number: &u32| *self.values[*number as usize] == *value;
        match self.numbers.find(hash, is_it) {
            Some(number) => Known::Is(*number),
            None => Known::New(hash, value),
        }
    }

    /// The number of a value that has been looked up. It is added, unless it has been meanwhile.
    pub(super) fn add(&mut self, known: Known<T>) -> u32 {
        let (hash, value) = match known {
            Known::Is(number) => return number,
            Known::New(hash, value) => (hash, value),
        };
        let Table { values, numbers, hasher } = self;
        let is_it = |number: &u32| *values[*number as usize] == *value;
        if let Some(number) = numbers.find(hash, is_it) {
            return *number;
        }
        let number = values.len() as u32;
        values.push(value);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(&*values[*number as usize]));
        number
    }

    /// The number of a value.
    pub(super) fn put(&mut self, value: Arc<T>) -> u32 {
        self.add(self.find(value))
    }
}

/// Rows of numbers, all of one length, each stored once. Many threads may read while none adds.
pub(super) struct Rows {
    width: usize,
    flat: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Rows {
    /// No rows, of this length.
    pub(super) fn new(width: usize) -> Self {
        let hasher = DefaultHashBuilder::default();
        Rows { width, flat: Vec::new(), numbers: HashTable::new(), hasher }
    }

    /// How many there are: their numbers are those below.
    pub(super) fn len(&self) -> usize {
        self.flat.len() / self.width
    }

    /// The row with this number.
    pub(super) fn get(&self, number: u32) -> &[u32] {
        row(&self.flat, self.width, number)
    }

    /// The number of a row; or, if it has none, its hash.
    pub(super) fn find(&self, row: &[u32]) -> Result<u32, u64> {
        let hash = self.hasher.hash_one(row);
        let is_it = |number: &u32| self.get(*number) == row;
        self.numbers.find(hash, is_it).copied().ok_or(hash)
    }

    /// The number of a row with this hash. It is added, unless it has been meanwhile.
    pub(super) fn add(&mut self, hash: u64, new: &[u32]) -> u32 {
        let Rows { width, flat, numbers, hasher } = self;
        if let Some(number) = numbers.find(hash, |number| row(flat, *width, *number) == new) {
            return *number;
        }
        let number = (flat.len() / *width) as u32;
        flat.extend_from_slice(new);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(row(flat, *width, *number)));
        number
    }

    /// The number of a row, which is added if it is not there.
    pub(super) fn put(&mut self, row: &[u32]) -> u32 {
        self.find(row).unwrap_or_else(|hash| self.add(hash, row))
    }
}

fn row(flat: &[u32], width: usize, number: u32) -> &[u32] {
    let begin = number as usize * width;
    &flat[begin..begin + width]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_and_rows_have_one_number() {
        let mut table = Table::new();
        let numbers: Vec<u32> =
            (0..1000).map(|i| table.put(Arc::new((i % 100).to_string()))).collect();
        assert!(numbers.iter().enumerate().all(|(i, number)| *number == i as u32 % 100));
        assert_eq!(**table.get(42), "42");
        let late = [table.find(Arc::new("new".into())), table.find(Arc::new("new".into()))];
        assert_eq!(late.map(|known| table.add(known)), [100, 100]);

        let mut rows = Rows::new(2);
        let numbers: Vec<u32> = (0..1000).map(|i| rows.put(&[i % 10, i % 100 / 10])).collect();
        assert!(numbers.iter().enumerate().all(|(i, number)| *number == i as u32 % 100));
        assert_eq!((rows.get(42), rows.len()), (&[2, 4][..], 100));
        assert_eq!(rows.find(&[2, 4]), Ok(42));
        let hash = rows.find(&[2, 10]).unwrap_err();
        assert_eq!([(); 2].map(|()| rows.add(hash, &[2, 10])), [100, 100]);
    }
}
