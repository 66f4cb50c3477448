//! How likely it is that a Markov chain ever comes to one of some states, and how many ticks it
//! takes on average, each with a bound on the error.
//!
//! `docs/liveness.md`, "How long it takes", says why the bounds hold.

use super::chain::Chain;

/// A value that is told is below the true one by no more than this share of it.
pub(super) const TOLERANCE: f64 = 1e-9;

/// So many rounds of an iteration at most.
const MOST_ROUNDS: usize = 100_000;

/// So little may the chances of a state's ticks differ from one in sum.
const WHOLE: f64 = 1e-9;

/// From where some states of a chain are reached.
pub(super) struct Hitting<'a> {
    chain: &'a Chain,
    /// The states that are to be reached.
    is_goal: &'a [bool],
    /// From where one of them can be reached.
    can: Vec<bool>,
    /// From where one of them is reached with probability one.
    surely: Vec<bool>,
}

impl<'a> Hitting<'a> {
    pub(super) fn new(chain: &'a Chain, is_goal: &'a [bool]) -> Self {
        let before = chain.reversed();
        let can = reached(&before, is_goal.to_vec(), |_| true);
        let is_lossy = |state: usize| {
            let all: f64 = chain.next(state).map(|(_, p)| p).sum();
            (all - 1.0).abs() > WHOLE
        };
        let may_fail =
            (0..can.len()).map(|state| !can[state] || !is_goal[state] && is_lossy(state));
        // What comes after a goal does not count.
        let doubtful = reached(&before, may_fail.collect(), |state| !is_goal[state]);
        let surely = doubtful.into_iter().map(|doubtful| !doubtful).collect();
        Hitting { chain, is_goal, can, surely }
    }

    /// From where none of the states can be reached.
    pub(super) fn hopeless(&self) -> Vec<bool> {
        self.can.iter().map(|can| !can).collect()
    }

    /// Whether one of them is reached with probability one.
    pub(super) fn is_sure(&self, state: usize) -> bool {
        self.surely[state]
    }

    /// By state: how likely it is that one of them is ever reached. 0 and 1 are exact.
    ///
    /// # Errors
    /// The bounds do not meet in many rounds.
    pub(super) fn probability(&self) -> Result<Vec<f64>, String> {
        let one_if = |is_one: &bool| if *is_one { 1.0 } else { 0.0 };
        let mut low: Vec<f64> = self.surely.iter().map(one_if).collect();
        let mut high: Vec<f64> = self.can.iter().map(one_if).collect();
        let is_open = |state: &usize| self.can[*state] && !self.surely[*state];
        let open: Vec<usize> = (0..low.len()).rev().filter(is_open).collect();
        for _ in 0..MOST_ROUNDS {
            let mut is_near = true;
            for state in open.iter().copied() {
                let rounding = self.rounding(state);
                low[state] = low[state].max(self.after(state, &low) * (1.0 - rounding));
                high[state] = high[state].min(self.after(state, &high) * (1.0 + rounding));
                is_near &= high[state] - low[state] <= TOLERANCE * high[state];
            }
            if is_near {
                return Ok(low);
            }
        }
        Err(too_long())
    }

    /// By state: the sum over all runs that reach one of the states, of how likely the run is,
    /// times the ticks that it takes. `probability` is that of reaching them.
    ///
    /// # Errors
    /// The error cannot be bounded after many rounds.
    pub(super) fn ticks(&self, probability: &[f64]) -> Result<Vec<f64>, String> {
        let mut ticks = vec![0.0; probability.len()];
        let is_open = |state: &usize| self.can[*state] && !self.is_goal[*state];
        let open: Vec<usize> = (0..ticks.len()).rev().filter(is_open).collect();
        for _ in 0..MOST_ROUNDS {
            let mut is_near = true;
            for state in open.iter().copied() {
                let (gain, rounding) = (probability[state], self.rounding(state));
                let value = (gain + self.after(state, &ticks)) * (1.0 - rounding);
                let lacks = value - ticks[state] + 2.0 * rounding * value;
                is_near &= lacks <= TOLERANCE * gain;
                ticks[state] = value.max(ticks[state]);
            }
            if is_near {
                return Ok(ticks);
            }
        }
        Err(too_long())
    }

    /// The average of what comes next.
    fn after(&self, state: usize, values: &[f64]) -> f64 {
        self.chain.next(state).map(|(to, p)| p * values[to]).sum()
    }

    /// More than rounding may change an average of what comes next, as a share of it. Lower bounds
    /// are made smaller by it, and upper ones greater.
    fn rounding(&self, state: usize) -> f64 {
        (self.chain.next(state).count() + 2) as f64 * f64::EPSILON
    }
}

fn too_long() -> String {
    format!(
        "it takes too long: after {MOST_ROUNDS} rounds the error may still be more than \
         {TOLERANCE:e} of the number"
    )
}

/// The states from which one that is marked is reached, by way of states that may be left.
fn reached(
    before: &[Vec<u32>],
    mut is_marked: Vec<bool>,
    may_be_left: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let mut open: Vec<usize> = (0..is_marked.len()).filter(|state| is_marked[*state]).collect();
    while let Some(state) = open.pop() {
        for from in before[state].iter().map(|from| *from as usize) {
            if !is_marked[from] && may_be_left(from) {
                is_marked[from] = true;
                open.push(from);
            }
        }
    }
    is_marked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A walk goes up with 1/4 and down with 3/4, and stays at 0 where it cannot go down. So from
    /// anywhere it comes up to the goal with a probability of at least (1/4)^26 in 26 ticks, and
    /// with probability one some time. After 68 rounds of an iteration from below, next to nothing
    /// changes any more, and still the value at 0 is about 10^-11.
    #[test]
    fn what_is_sure_is_sure_however_long_it_takes() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 0.75), (1, 0.25)]);
        (1..26).for_each(|at| chain.state(vec![(at - 1, 0.75), (at + 1, 0.25)]));
        chain.state(vec![(26, 1.0)]);
        let is_goal: Vec<bool> = (0..27).map(|at| at == 26).collect();
        let hitting = Hitting::new(&chain, &is_goal);
        let probability = hitting.probability().unwrap();
        assert_eq!(probability, [1.0; 27]);
        // About 3^26 ticks: too many for an iteration.
        assert!(hitting.ticks(&probability).unwrap_err().contains("too long"));
    }

    #[test]
    fn a_chance_that_is_small_is_one_all_the_same() {
        let mut chain = Chain::default();
        chain.state(vec![(0, 1.0 - 1e-13), (1, 1e-13)]);
        chain.state(vec![(1, 1.0)]);
        let hitting = Hitting::new(&chain, &[false, true]);
        assert_eq!(hitting.probability().unwrap(), [1.0, 1.0]);
        assert!(hitting.ticks(&[1.0, 1.0]).is_err(), "10^13 ticks");
        // Two exits as small as each other: the probability is one half, but bounds do not meet.
        let mut chain = Chain::default();
        chain.state(vec![(0, 1.0 - 2e-13), (1, 1e-13), (2, 1e-13)]);
        chain.state(vec![(1, 1.0)]);
        chain.state(vec![(2, 1.0)]);
        let is_goal = [false, true, false];
        let hitting = Hitting::new(&chain, &is_goal);
        assert_eq!(hitting.hopeless(), [false, false, true]);
        assert!(hitting.probability().unwrap_err().contains("too long"));
    }

    /// Where chances do not sum up to one, as where time may stop, nothing is sure.
    #[test]
    fn what_stops_on_the_way_does_not_come() {
        let mut chain = Chain::default();
        chain.state(vec![(1, 0.5)]);
        chain.state(vec![(1, 1.0)]);
        let hitting = Hitting::new(&chain, &[false, true]);
        let probability = hitting.probability().unwrap();
        assert!((probability[0] - 0.5).abs() < 1e-9 && !hitting.is_sure(0));
    }

    /// By elimination, for as many unknowns as equations, of which one solution is asked.
    fn solved(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
        let n = rows.len();
        for at in 0..n {
            let size = |row: &usize| rows[*row][at].abs();
            let pivot = (at..n).max_by(|a, b| size(a).total_cmp(&size(b))).expect("a row is left");
            rows.swap(at, pivot);
            let row = rows[at].clone();
            for other in (0..n).filter(|other| *other != at) {
                let factor = rows[other][at] / row[at];
                (at..=n).for_each(|column| rows[other][column] -= factor * row[column]);
            }
        }
        (0..n).map(|at| rows[at][n] / rows[at][at]).collect()
    }

    /// Solves x = gain + what comes next on average, where `can`, and x = 0 elsewhere.
    fn dense(weights: &[Vec<u32>], can: &[bool], is_goal: &[bool], gain: &[f64]) -> Vec<f64> {
        let row = |from: usize| {
            let all: u32 = weights[from].iter().sum();
            let is_open = can[from] && !is_goal[from];
            let mut row: Vec<f64> = (0..can.len())
                .map(|to| {
                    let p = f64::from(weights[from][to]) / f64::from(all);
                    f64::from(u8::from(from == to)) - if is_open { p } else { 0.0 }
                })
                .collect();
            row.push(gain[from]);
            row
        };
        solved((0..can.len()).map(row).collect())
    }

    /// From where a goal can be reached: by as many rounds as there are states.
    fn can_reach(weights: &[Vec<u32>], is_goal: &[bool]) -> Vec<bool> {
        let mut can = is_goal.to_vec();
        for _ in 0..can.len() {
            can = (0..can.len())
                .map(|at| can[at] || (0..can.len()).any(|to| weights[at][to] > 0 && can[to]))
                .collect();
        }
        can
    }

    /// Chains of some states, most of whose ticks are impossible, and others rare.
    fn chains() -> impl Strategy<Value = (Vec<Vec<u32>>, Vec<bool>)> {
        let weight = prop_oneof![4 => Just(0u32), 3 => 1..4u32, 1 => 20..40u32];
        (2..8usize).prop_flat_map(move |n| {
            let row = prop::collection::vec(weight.clone(), n);
            (prop::collection::vec(row, n), prop::collection::vec(prop::bool::weighted(0.2), n))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// A state without ticks goes on to itself.
        #[test]
        fn bounds_hold_against_elimination((mut weights, is_goal) in chains()) {
            for (at, row) in weights.iter_mut().enumerate() {
                row[at] += u32::from(row.iter().all(|weight| *weight == 0));
            }
            let mut chain = Chain::default();
            for row in &weights {
                let all: u32 = row.iter().sum();
                let next = (0..).zip(row).map(|(to, p)| (to, f64::from(*p) / f64::from(all)));
                chain.state(next.collect());
            }
            let hitting = Hitting::new(&chain, &is_goal);
            let can = can_reach(&weights, &is_goal);
            let at_goal: Vec<f64> = is_goal.iter().map(|at| f64::from(u8::from(*at))).collect();
            let chances = dense(&weights, &can, &is_goal, &at_goal);
            let gain: Vec<f64> =
                (0..can.len()).map(|at| if is_goal[at] { 0.0 } else { chances[at] }).collect();
            let exact = dense(&weights, &can, &is_goal, &gain);
            // What comes after a goal does not count.
            let mut until = weights.clone();
            for (_, row) in until.iter_mut().enumerate().filter(|(at, _)| is_goal[*at]) {
                row.fill(0);
            }
            let hopeless: Vec<bool> = can.iter().map(|can| !can).collect();
            let doubtful = can_reach(&until, &hopeless);
            let probability = hitting.probability().unwrap();
            for at in 0..can.len() {
                prop_assert!((probability[at] - chances[at]).abs() < 1e-8 * chances[at].max(1e-3));
                prop_assert_eq!(probability[at] == 0.0, !can[at]);
                prop_assert_eq!(hitting.is_sure(at), !doubtful[at]);
                let is_one = probability[at] == 1.0 && (chances[at] - 1.0).abs() < 1e-9;
                prop_assert!(doubtful[at] || is_one, "{chances:?}");
            }
            match hitting.ticks(&probability) {
                Ok(ticks) => for at in 0..can.len() {
                    let error = (ticks[at] - exact[at]).abs();
                    prop_assert!(error <= 3.0 * TOLERANCE * exact[at], "{ticks:?} {exact:?}");
                },
                Err(_) => prop_assert!(exact.iter().any(|ticks| *ticks > 1e3), "{exact:?}"),
            }
        }
    }
}
