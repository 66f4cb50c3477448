//! Whether what a state does, its wide form does as well.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::BuildHasher;

use super::audit::{Audit, shown};
use super::between::Between;
use crate::election::Election;

/// A tick: what is true of it, whether there was a fault, where it leads.
type Known = (u32, bool, u64);

/// For each draw the ticks, each with how the excess of wide gaps changes.
type Ticks = Vec<BTreeSet<(Known, Ordering)>>;

impl<E: Election> Audit<'_, E> {
    /// Compares a state with its wide form, if that is another or stands for others: each of its
    /// ticks must have its like in one of those states, draw by draw; and the excess must not
    /// rise, or stay, where theirs falls, nor rise where theirs stays. The same of the state with
    /// numbers much further apart.
    pub(super) fn compare_wide(&mut self, state: &Between<E>) -> Result<(), String> {
        let far = "a bound is in the way";
        let (form, excess) = self.ticking.forms.wide_form(state.clone()).ok_or(far)?;
        let instances = self.ticking.forms.instances(&form);
        if instances.len() == 1 && excess == 0 {
            return Ok(());
        }
        let mut theirs = Ticks::new();
        for instance in instances {
            let known = self.ticking.forms.wide_form(instance.state.clone());
            if known.as_ref() != Some(&(form.clone(), instance.excess)) {
                let instance = shown(&instance.state);
                return Err(format!("{instance}\nhas another wide form than\n{}", shown(&form)));
            }
            let ticks = self.wide_ticks(&instance.state, instance.excess)?;
            theirs.resize_with(theirs.len().max(ticks.len()), BTreeSet::new);
            theirs.iter_mut().zip(ticks).for_each(|(theirs, more)| theirs.extend(more));
        }
        let further = self.ticking.forms.wider(&form, 1_000);
        let states = [(state, excess), (&further.state, further.excess)];
        for (state, excess) in states {
            for (draw, ticks) in self.wide_ticks(state, excess)?.into_iter().enumerate() {
                for (known, change) in ticks {
                    let is_like = |other: &Ordering| {
                        let has = |theirs: &BTreeSet<_>| theirs.contains(&(known, *other));
                        *other >= change && theirs.get(draw).is_some_and(has)
                    };
                    let orders = [Ordering::Less, Ordering::Equal, Ordering::Greater];
                    if !orders.iter().any(is_like) {
                        return Err(format!(
                            "{}\ndoes what its wide form does not\n{}",
                            shown(state),
                            shown(&form)
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    fn wide_ticks(&mut self, state: &Between<E>, excess: u64) -> Result<Ticks, String> {
        let mut ticks = Ticks::new();
        for (marks, tick) in self.marked(state)? {
            let after = self.ticking.forms.wide_form(tick.after).ok_or("a bound is in the way")?;
            let known = (marks, tick.has_fault, self.hasher.hash_one(&after.0));
            ticks.resize_with(ticks.len().max(tick.draw + 1), BTreeSet::new);
            ticks[tick.draw].insert((known, after.1.cmp(&excess)));
        }
        Ok(ticks)
    }
}
