//! The macro with which a protocol declares its planted bugs.

/// Declares the bugs that can be planted in a protocol: an enum, against which handlers compare,
/// and the description of each variant (the fields of a [`BugSpec`](crate::election::BugSpec)).
///
/// ```
/// use oneleader::election::{Costs, bugs};
///
/// bugs! {
///     /// Rules of the paper, left out.
///     pub enum Bug {
///         VotesTwice {
///             name: "votes-twice",
///             summary: "A node votes for whoever asks.",
///             rule: "One vote a term.",
///             instead: "does not vote, because it has voted in this term",
///             published: "Nowhere.",
///             costs: Costs::Safety,
///         },
///     }
/// }
///
/// assert_eq!(Bug::SPECS[0].name, "votes-twice");
/// assert_eq!(Bug::named("votes-twice"), Some(Bug::VotesTwice));
/// ```
#[macro_export]
macro_rules! bugs {
    ($(#[$meta:meta])* $vis:vis enum $Bug:ident {
        $($(#[$note:meta])* $variant:ident { $($field:ident: $value:expr),* $(,)? }),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $Bug {
            $($(#[$note])* #[allow(missing_docs)] $variant),*
        }

        impl $Bug {
            /// The description of each bug, in the order of the variants.
            $vis const SPECS: &'static [$crate::election::BugSpec] =
                &[$($crate::election::BugSpec { $($field: $value),* }),*];

            /// The bug of this name.
            $vis fn named(name: &str) -> Option<Self> {
                let at = Self::SPECS.iter().position(|spec| spec.name == name)?;
                Some([$(Self::$variant),*][at])
            }
        }
    };
}
