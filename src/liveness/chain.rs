//! The Markov chain of a graph, where timers and the order of delivery are random: a tick of the
//! system is a step of the chain.

/// For each state, how likely it is which state comes next. Nothing fails.
#[derive(Default)]
pub(super) struct Chain {
    /// The position of each state's first entry, and at the end how many there are.
    first: Vec<usize>,
    to: Vec<u32>,
    chances: Vec<f64>,
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

    /// What may come after a state, and how likely each is.
    pub(super) fn next(&self, state: usize) -> impl Iterator<Item = (usize, f64)> {
        let end = self.first.get(state + 1).copied().unwrap_or(self.to.len());
        (self.first[state]..end).map(|at| (self.to[at] as usize, self.chances[at]))
    }

    /// By state: what may come before it.
    pub(super) fn reversed(&self) -> Vec<Vec<u32>> {
        let mut before = vec![Vec::new(); self.first.len()];
        for state in 0..self.first.len() {
            self.next(state).for_each(|(to, _)| before[to].push(state as u32));
        }
        before
    }
}
