//! Properties by their position, and sets of them.

/// The position of a property: election safety is first, then come the protocol's invariants in
/// their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyId(pub u8);

/// The most properties that a protocol or a model may have.
pub const MAX_PROPERTIES: usize = 16;

/// A set of properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PropertySet(u16);

const _: () = assert!(MAX_PROPERTIES <= u16::BITS as usize);

impl PropertySet {
    /// The set without properties.
    pub const EMPTY: PropertySet = PropertySet(0);

    /// The set of one property, if `is_in`; otherwise the empty set.
    #[inline]
    pub fn of(property: PropertyId, is_in: bool) -> PropertySet {
        PropertySet(u16::from(is_in) << property.0)
    }

    /// Whether the set has no properties.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The properties that are in both sets.
    #[inline]
    pub fn and(self, other: PropertySet) -> PropertySet {
        PropertySet(self.0 & other.0)
    }

    /// The properties of this set that are not in the other.
    #[inline]
    pub fn without(self, other: PropertySet) -> PropertySet {
        PropertySet(self.0 & !other.0)
    }

    /// The properties of the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = PropertyId> {
        (0..16).filter(move |p| self.0 >> p & 1 == 1).map(PropertyId)
    }
}

impl std::ops::BitOrAssign for PropertySet {
    #[inline]
    fn bitor_assign(&mut self, other: PropertySet) {
        self.0 |= other.0;
    }
}

impl FromIterator<PropertyId> for PropertySet {
    fn from_iter<I: IntoIterator<Item = PropertyId>>(properties: I) -> Self {
        let bits = properties.into_iter().fold(0, |bits, property| bits | 1 << property.0);
        PropertySet(bits)
    }
}
