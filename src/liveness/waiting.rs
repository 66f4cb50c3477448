//! How long until something is so for good, where timers and the order of delivery are random. The
//! numbers are those of the whole chain: nothing is drawn.

use super::chain::Chain;
use super::hitting::{Hitting, TOLERANCE};

/// What is left out of a distribution: a run takes longer with less than this probability.
const NEGLIGIBLE: f64 = 1e-9;

/// So many ticks are followed at most.
const MOST_TICKS: usize = 100_000;

/// How many ticks pass until it is so, for those runs on which it ever is.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// How likely it is that it comes about. 0 and 1 are exact.
    pub probability: f64,
    /// The ticks that pass on average, where it comes about; `None` if it never does.
    pub mean: Option<f64>,
    /// By number of ticks: how likely it is that just so many pass. Where this ends, less than a
    /// billionth of all runs is open.
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
        let hopeless = self.hopeless(is_one);
        self.follow(from, is_one, &hopeless, |state, chance, _| met[state] += chance)?;
        let met = met.into_iter().enumerate().filter(|(_, chance)| *chance > 0.0);
        Ok(met.map(|(state, chance)| (state as u32, chance)).collect())
    }

    /// From where none of these states can be reached.
    pub(super) fn hopeless(&self, is_one: &[bool]) -> Vec<bool> {
        Hitting::new(self, is_one).hopeless()
    }

    /// How long it takes from the first ones to one of these states.
    ///
    /// # Errors
    /// It takes so long that no number is found; or numbers that were found do not agree.
    pub(super) fn waiting(&self, from: &[(u32, f64)], is_one: &[bool]) -> Result<Waiting, String> {
        let hitting = Hitting::new(self, is_one);
        let success = hitting.probability()?;
        let ticks = hitting.ticks(&success)?;
        let on_average = |values: &[f64]| {
            from.iter().map(|(state, chance)| chance * values[*state as usize]).sum::<f64>()
        };
        let is_sure = from.iter().all(|(state, _)| hitting.is_sure(*state as usize));
        let probability = if is_sure { 1.0 } else { on_average(&success) };
        let mut distribution = Vec::new();
        self.follow(from, is_one, &hitting.hopeless(), |_, chance, tick| {
            if distribution.len() <= tick {
                distribution.resize(tick + 1, 0.0);
            }
            distribution[tick] += chance;
        })?;
        let all: f64 = distribution.iter().sum();
        if (all - probability).abs() > NEGLIGIBLE + 2.0 * TOLERANCE {
            return Err(format!(
                "a defect: it comes about with probability {probability}, but tick by tick with \
                 {all}"
            ));
        }
        let mean = (probability > 0.0).then(|| on_average(&ticks) / probability);
        Ok(Waiting { probability, mean, distribution })
    }

    /// Follows the chain from the first ones, as long as there is hope, and says for each of these
    /// states how likely it is to be the first of them, and to be met just then.
    ///
    /// # Errors
    /// After many ticks it is still open too often.
    fn follow(
        &self,
        from: &[(u32, f64)],
        is_one: &[bool],
        hopeless: &[bool],
        mut meet: impl FnMut(usize, f64, usize),
    ) -> Result<(), String> {
        let mut now = vec![0.0; is_one.len()];
        let mut next: Vec<(usize, f64)> =
            from.iter().map(|(state, chance)| (*state as usize, *chance)).collect();
        let mut left = 1.0;
        for tick in 0..MOST_TICKS {
            let mut here = Vec::new();
            for (to, chance) in next.drain(..).filter(|(to, p)| !hopeless[*to] && *p > 0.0) {
                if now[to] == 0.0 {
                    here.push(to);
                }
                now[to] += chance;
            }
            left = 0.0;
            for state in here {
                let chance = std::mem::take(&mut now[state]);
                if is_one[state] {
                    meet(state, chance, tick);
                } else {
                    left += chance;
                    next.extend(self.next(state).map(|(to, p)| (to, p * chance)));
                }
            }
            if left < NEGLIGIBLE {
                return Ok(());
            }
        }
        Err(format!(
            "it takes too long: after {MOST_TICKS} ticks it is open with probability {left:e}"
        ))
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
        assert_eq!(waiting.probability, 1.0);
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
        assert!((waiting.probability - 1.0 / 3.0).abs() < 1e-9);
        assert!((waiting.mean.unwrap() - 8.0 / 3.0).abs() < 1e-9);
        let met = chain.first_met(&[(1, 1.0)], &[true, false, false, true]).unwrap();
        assert!((met[0].1 - 2.0 / 3.0).abs() < 1e-9 && (met[1].1 - 1.0 / 3.0).abs() < 1e-9);
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
        assert!(
            slow.first_met(&[(0, 1.0)], &[false, true]).unwrap_err().contains("ticks it is open")
        );
    }

    /// Half of the runs go on in each tick, next to none come to the goal, the others are lost. So
    /// those that come to it take 1, 2, 3, .. ticks with 1/2, 1/4, 1/8, ..: on average 2.
    #[test]
    fn what_is_rare_need_not_be_slow() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 0.5), (1, 1e-13), (2, 0.5 - 1e-13)]);
        chain.state(vec![(1, 1.0)]);
        chain.state(vec![(2, 1.0)]);
        let waiting = chain.waiting(&[(0, 1.0)], &[false, true, false]).unwrap();
        assert!((waiting.probability / 2e-13 - 1.0).abs() < 1e-8);
        assert!((waiting.mean.unwrap() - 2.0).abs() < 1e-8);
    }
}
