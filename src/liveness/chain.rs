//! How long until something is so for good, where timers and the order of delivery are random.
//!
//! A tick of the system is then a step of a Markov chain on the states of the graph. The numbers
//! are those of the whole chain: nothing is drawn.

use super::graph::Graph;

/// For each state, how likely it is which state comes next. Nothing fails.
#[derive(Default)]
pub(super) struct Chain {
    /// The position of each state's first entry, and at the end how many there are.
    first: Vec<usize>,
    to: Vec<u32>,
    chances: Vec<f64>,
}

/// What is left out of a distribution: a run takes longer with no more than this probability.
const NEGLIGIBLE: f64 = 1e-9;

/// So many ticks are followed at most, and so many rounds of an iteration.
const MOST_TICKS: usize = 100_000;

/// From one round of an iteration to the next, values change by no more than this share of
/// themselves once they are found.
const SETTLED: f64 = 1e-12;

/// How many ticks pass until it is so, for those runs on which it ever is.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// How likely it is that it comes about.
    pub probability: f64,
    /// The ticks that pass on average, where it comes about; `None` if it never does.
    pub mean: Option<f64>,
    /// By number of ticks: how likely it is that just so many pass. Where this ends, runs that take
    /// longer are not worth mentioning, or more than can be told.
    pub distribution: Vec<f64>,
}

impl Waiting {
    /// The least number of ticks within which it comes about with this probability, among the runs
    /// on which it does; `None` if that is beyond the end of the distribution.
    pub fn within(&self, probability: f64) -> Option<usize> {
        let mut sum = 0.0;
        let mut sums = self.distribution.iter().map(|chance| {
            sum += chance;
            sum
        });
        sums.position(|sum| sum >= probability * self.probability - NEGLIGIBLE)
    }
}

impl Chain {
    /// Adds the next state, with how likely each of the next ones is. One may stand there several
    /// times.
    pub(super) fn state(&mut self, mut next: Vec<(u32, f64)>) {
        self.first.push(self.to.len());
        next.sort_unstable_by_key(|(to, _)| *to);
        let begin = self.to.len();
        for (to, chance) in next.into_iter().filter(|(_, chance)| *chance > 0.0) {
            if self.to.len() > begin && self.to.last() == Some(&to) {
                *self.chances.last_mut().expect("there is one for each") += chance;
            } else {
                self.to.push(to);
                self.chances.push(chance);
            }
        }
    }

    fn next(&self, state: usize) -> impl Iterator<Item = (usize, f64)> {
        let end = self.first.get(state + 1).copied().unwrap_or(self.to.len());
        (self.first[state]..end).map(|at| (self.to[at] as usize, self.chances[at]))
    }

    /// How likely it is to come to each of these states first, from the first ones.
    ///
    /// # Errors
    /// As of [`waiting`](Chain::waiting).
    pub(super) fn first_met(
        &self,
        from: &[(u32, f64)],
        is_one: &[bool],
    ) -> Result<Vec<(u32, f64)>, String> {
        let mut met = vec![0.0; is_one.len()];
        self.follow(from, is_one, &self.success(is_one)?, |state, chance, _| met[state] += chance);
        let met = met.into_iter().enumerate().filter(|(_, chance)| *chance > 0.0);
        Ok(met.map(|(state, chance)| (state as u32, chance)).collect())
    }

    /// From where none of these states is ever reached.
    ///
    /// # Errors
    /// As of [`waiting`](Chain::waiting).
    pub(super) fn hopeless(&self, is_one: &[bool]) -> Result<Vec<bool>, String> {
        Ok(self.success(is_one)?.into_iter().map(|chance| chance == 0.0).collect())
    }

    /// By state: how likely it is that one of these is ever reached from there.
    fn success(&self, is_one: &[bool]) -> Result<Vec<f64>, String> {
        self.solve(is_one, |_| 0.0, 1.0)
    }

    /// How long it takes from the first ones to one of these states.
    ///
    /// # Errors
    /// It takes so long that no number is found.
    pub(super) fn waiting(&self, from: &[(u32, f64)], is_one: &[bool]) -> Result<Waiting, String> {
        let success = self.success(is_one)?;
        let ticks = self.solve(is_one, |state| success[state], 0.0)?;
        let on_average = |values: &[f64]| {
            from.iter().map(|(state, chance)| chance * values[*state as usize]).sum::<f64>()
        };
        let probability = on_average(&success);
        let mut distribution = Vec::new();
        self.follow(from, is_one, &success, |_, chance, tick| {
            if distribution.len() <= tick {
                distribution.resize(tick + 1, 0.0);
            }
            distribution[tick] += chance;
        });
        let mean = (probability > 0.0).then(|| on_average(&ticks) / probability);
        Ok(Waiting { probability, mean, distribution })
    }

    /// Follows the chain from the first ones, as long as there is hope, and says for each of these
    /// states how likely it is to be the first of them, and to be met just then.
    fn follow(
        &self,
        from: &[(u32, f64)],
        is_one: &[bool],
        success: &[f64],
        mut meet: impl FnMut(usize, f64, usize),
    ) {
        let mut now = vec![0.0; is_one.len()];
        from.iter().for_each(|(state, chance)| now[*state as usize] += chance);
        let mut here: Vec<usize> = (0..now.len()).filter(|state| now[*state] > 0.0).collect();
        for tick in 0..MOST_TICKS {
            let (mut left, mut next) = (0.0, Vec::new());
            for state in std::mem::take(&mut here) {
                let chance = std::mem::take(&mut now[state]);
                if is_one[state] {
                    meet(state, chance, tick);
                } else {
                    left += chance;
                    next.extend(self.next(state).map(|(to, p)| (to, p * chance)));
                }
            }
            if left < NEGLIGIBLE {
                return;
            }
            for (to, chance) in next.into_iter().filter(|(to, p)| success[*to] > 0.0 && *p > 0.0) {
                if now[to] == 0.0 {
                    here.push(to);
                }
                now[to] += chance;
            }
        }
    }

    /// The least solution of: `at_goal` at these states, and elsewhere `gain` and the average of
    /// what comes next. By Gauss and Seidel's iteration, which comes near it from below.
    fn solve(
        &self,
        is_one: &[bool],
        gain: impl Fn(usize) -> f64,
        at_goal: f64,
    ) -> Result<Vec<f64>, String> {
        let mut values: Vec<f64> =
            is_one.iter().map(|is_one| if *is_one { at_goal } else { 0.0 }).collect();
        for _ in 0..MOST_TICKS {
            let mut change: f64 = 0.0;
            for state in (0..values.len()).rev().filter(|state| !is_one[*state]) {
                let next: f64 = self.next(state).map(|(to, p)| p * values[to]).sum();
                let value = gain(state) + next;
                change = change.max((value - values[state]).abs() / value.max(1.0));
                values[state] = value;
            }
            if change < SETTLED {
                return Ok(values);
            }
        }
        Err(format!("it takes too long: no number is found in {MOST_TICKS} rounds"))
    }
}

/// The states from which on every run each tick carries one of these masks, always the same.
pub(super) fn settled(graph: &Graph, one_of: &[u32]) -> Vec<bool> {
    let mut settled = vec![false; graph.states() as usize];
    for mask in one_of {
        for (state, inside) in settled_by(graph, *mask).into_iter().enumerate() {
            settled[state] |= inside;
        }
    }
    settled
}

fn settled_by(graph: &Graph, mask: u32) -> Vec<bool> {
    let own = |state: u32| graph.out(state).iter().filter(|edge| !edge.adversary);
    let is_whole = |state: u32| {
        !graph.is_cut(state) && !graph.is_stop(state) && own(state).all(|edge| edge.carries(mask))
    };
    let mut inside: Vec<bool> = (0..graph.states()).map(is_whole).collect();
    loop {
        let mut is_same = true;
        for state in 0..graph.states() {
            let at = state as usize;
            if inside[at] && own(state).any(|edge| !inside[edge.to as usize]) {
                (inside[at], is_same) = (false, false);
            }
        }
        if is_same {
            return inside;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coin is thrown until it shows heads: 2 throws on average.
    #[test]
    fn a_coin_shows_heads_after_two_throws_on_average() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 0.25), (1, 0.5), (0, 0.25)]);
        chain.state(vec![(1, 1.0)]);
        let waiting = chain.waiting(&[(0, 1.0)], &[false, true]).unwrap();
        assert!((waiting.probability - 1.0).abs() < 1e-9);
        assert!((waiting.mean.unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(waiting.distribution[..4], [0.0, 0.5, 0.25, 0.125]);
        assert_eq!((waiting.within(0.5), waiting.within(0.9)), (Some(1), Some(4)));
    }

    /// A gambler with one coin of three, who stops with all or nothing: he wins once in three
    /// times. Games that he wins take (9 - 1) / 3 throws on average (Feller, volume 1, XIV.3).
    #[test]
    fn a_gambler_who_wins_has_played_as_long_as_the_books_say() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 1.0)]);
        chain.state(vec![(0, 0.5), (2, 0.5)]);
        chain.state(vec![(1, 0.5), (3, 0.5)]);
        chain.state(vec![(3, 1.0)]);
        let waiting = chain.waiting(&[(1, 1.0)], &[false, false, false, true]).unwrap();
        assert!((waiting.probability - 1.0 / 3.0).abs() < 1e-6);
        assert!((waiting.mean.unwrap() - 8.0 / 3.0).abs() < 1e-6);
        let met = chain.first_met(&[(1, 1.0)], &[true, false, false, true]).unwrap();
        assert!((met[0].1 - 2.0 / 3.0).abs() < 1e-6 && (met[1].1 - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn what_never_happens_has_no_average_and_what_takes_too_long_no_number() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 1.0)]);
        chain.state(vec![(1, 1.0)]);
        let never = chain.waiting(&[(0, 1.0)], &[false, true]).unwrap();
        assert_eq!((never.probability, never.mean, never.within(0.5)), (0.0, None, None));
        let mut slow = Chain::default();
        slow.state(vec![(0, 1.0 - 1e-7), (1, 1e-7)]);
        slow.state(vec![(1, 1.0)]);
        assert!(slow.waiting(&[(0, 1.0)], &[false, true]).unwrap_err().contains("too long"));
    }
}
