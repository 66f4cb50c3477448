//! All mutants of the protocols that were built, and a sample of them.

use std::collections::BTreeSet;

/// One mistake, as the build script found it.
#[derive(Debug, serde::Serialize)]
pub struct Mutant {
    #[serde(skip)]
    pub number: u32,
    pub protocol: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub function: &'static str,
    pub operator: &'static str,
    pub original: &'static str,
    pub mutated: &'static str,
    /// Which one it is of those that agree in all this but the line.
    pub occurrence: u32,
}

pub static ALL: &[Mutant] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

impl Mutant {
    /// A short name. It depends on nothing but the mutant itself.
    pub fn id(&self) -> String {
        let Mutant { file, function, operator, original, mutated, occurrence, .. } = self;
        let identity =
            format!("{file}\n{function}\n{operator}\n{original}\n{mutated}\n{occurrence}");
        format!("{}-{:08x}", self.protocol, hash(&identity) & 0xffff_ffff)
    }

    /// What changes, in a line.
    pub fn change(&self) -> String {
        if self.mutated.is_empty() {
            format!("`{}`", self.original)
        } else {
            format!("`{}` -> `{}`", self.original, self.mutated)
        }
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A number drawn for a text: SplitMix64 (Steele, Lea and Flood 2014) from the seed and the text's
/// digest. As each text has its own, a sample stays what it is where the protocol stays what it is.
fn draw(seed: u64, text: &str) -> u64 {
    let mut z = (seed ^ hash(text)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws mutants of one protocol: of each function the one with the least number drawn; then, until
/// there are `each`, of one operator after the other, in the order of their numbers, the one with
/// the least number that is left. So what is rare in the text (a save, a quorum) is not rare in the
/// sample.
pub fn sample(mut pool: Vec<&'static Mutant>, each: usize, seed: u64) -> Vec<&'static Mutant> {
    pool.sort_by_cached_key(|mutant| (draw(seed, &mutant.id()), mutant.number));
    let mut functions = BTreeSet::new();
    let (mut drawn, mut pool): (Vec<_>, Vec<_>) =
        pool.into_iter().partition(|mutant| functions.insert((mutant.file, mutant.function)));
    let operators: BTreeSet<&str> = pool.iter().map(|mutant| mutant.operator).collect();
    let mut operators: Vec<&str> = operators.into_iter().collect();
    operators.sort_by_key(|operator| draw(seed, operator));
    for operator in operators.iter().cycle() {
        if drawn.len() >= each || pool.is_empty() {
            break;
        }
        if let Some(least) = pool.iter().position(|mutant| mutant.operator == *operator) {
            drawn.push(pool.remove(least));
        }
    }
    drawn.sort_by_key(|mutant| mutant.number);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(protocol: &str) -> Vec<&'static Mutant> {
        ALL.iter().filter(|mutant| mutant.protocol == protocol).collect()
    }

    fn protocols() -> Vec<&'static str> {
        let mut names: Vec<&str> = ALL.iter().map(|mutant| mutant.protocol).collect();
        names.dedup();
        names
    }

    #[test]
    fn a_sample_has_one_of_each_function_and_a_seed_means_the_same_one() {
        for protocol in protocols() {
            let ids =
                |seed| sample(pool(protocol), 20, seed).iter().map(|m| m.id()).collect::<Vec<_>>();
            assert_eq!(ids(1), ids(1));
            assert_ne!(ids(1), ids(2));
            let functions = |all: &[&Mutant]| -> Vec<(&str, &str)> {
                let mut names: Vec<_> = all.iter().map(|m| (m.file, m.function)).collect();
                names.sort_unstable();
                names.dedup();
                names
            };
            let drawn = sample(pool(protocol), 20, 1);
            assert!(drawn.len() >= 20, "{protocol}: {}", drawn.len());
            assert_eq!(functions(&drawn), functions(&pool(protocol)), "{protocol}");
        }
    }

    #[test]
    fn a_sample_stays_what_it_is_where_something_else_is_left_out() {
        for protocol in protocols() {
            let all = sample(pool(protocol), 20, 1);
            let drawn = |mutant: &Mutant| all.iter().any(|other| other.number == mutant.number);
            let mut others = pool(protocol);
            let spare =
                others.iter().rposition(|mutant| !drawn(mutant)).expect("a sample is not all");
            others.remove(spare);
            let numbers = |all: &[&Mutant]| all.iter().map(|m| m.number).collect::<Vec<_>>();
            assert_eq!(numbers(&sample(others, 20, 1)), numbers(&all), "{protocol}");
        }
    }

    #[test]
    fn no_two_mutants_of_a_protocol_share_a_name() {
        for protocol in protocols() {
            let mut ids: Vec<String> = pool(protocol).iter().map(|mutant| mutant.id()).collect();
            let all = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "{protocol}");
        }
    }
}
