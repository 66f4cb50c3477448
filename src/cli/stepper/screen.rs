//! What the stepper shows: the run as a diagram, what the last step did, and the steps that can be
//! taken.

use super::walk::Walk;
use crate::support::plain::printable;
use crate::tell::diagram::{Caption, terminal};
use crate::tell::prose::{cut, wrap};

/// A terminal of this width has the steps beside the diagram.
const WIDE: usize = 130;
/// How wide the steps are then.
const STEPS: usize = 48;
/// How many steps are listed below the diagram otherwise.
const LISTED: usize = 7;

/// What is to be seen.
pub struct View<'a> {
    /// Where the reader stands.
    pub walk: &'a Walk,
    /// Whether the state is shown in full in place of the diagram.
    pub shows_state: bool,
    /// The number that is being typed.
    pub typed: &'a str,
    /// A text in the colour of a term.
    pub paint: terminal::Paint<'a>,
    /// A text that stands out.
    pub strong: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    /// The lines of a screen, at most as many and as wide as it has room for.
    pub fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let mut lines = self.head(width);
        let keys = self.keys(width);
        let room = height.saturating_sub(lines.len() + keys.len());
        if width >= WIDE {
            let picture = self.picture(width - STEPS - 2, room);
            let steps = self.steps(STEPS, room);
            for i in 0..room {
                let left = picture.get(i).map_or("", String::as_str);
                let right = steps.get(i).map_or("", String::as_str);
                let gap = (width - STEPS).saturating_sub(seen(left));
                lines.push(format!("{left}{:gap$}{right}", ""));
            }
        } else {
            let listed = LISTED.min(room / 2);
            lines.extend(self.picture(width, room - listed));
            let filled = height.saturating_sub(keys.len() + listed);
            lines.resize_with(filled.max(lines.len()), String::new);
            lines.extend(self.steps(width, listed));
        }
        lines.truncate(height.saturating_sub(keys.len()));
        lines.resize_with(height.saturating_sub(keys.len()), String::new);
        lines.extend(keys);
        lines.truncate(height);
        lines
    }

    fn head(&self, width: usize) -> Vec<String> {
        let walk = self.walk;
        let astray = if walk.is_astray() { ", on steps of your own" } else { "" };
        let place = format!("step {} of {}{astray}", walk.at(), walk.length());
        let mut lines = vec![(self.strong)(&cut(&format!("{}: {place}", walk.title), width))];
        let told = match walk.taken() {
            [] => "Here the run begins.".to_string(),
            taken => walk.system.told(taken),
        };
        lines.extend(wrap(&printable(&told), width));
        if let Some((property, why)) = walk.broken() {
            let alarm = printable(&format!("{property} is violated: {why}"));
            lines.extend(wrap(&alarm, width).iter().map(|line| (self.strong)(line)));
        }
        lines.push(String::new());
        lines
    }

    /// The last lines of the diagram, or the first of the state.
    fn picture(&self, width: usize, room: usize) -> Vec<String> {
        let walk = self.walk;
        if self.shows_state {
            let sheet = match walk.before() {
                Some(before) => walk.system.changed(before, walk.state()),
                None => walk.system.whole(walk.state()),
            };
            return sheet.lines().take(room).map(|line| cut(&printable(line), width)).collect();
        }
        let diagram = walk.system.diagram(walk.taken(), Caption::default());
        let drawn = terminal::draw(&diagram, width, self.paint);
        let mut lines: Vec<String> = drawn.lines().map(str::to_string).collect();
        if lines.len() > room && room > 0 {
            // The names of the nodes stay in sight.
            lines.drain(1..=lines.len() - room);
        }
        lines
    }

    /// The steps that can be taken, as many as there is room for, the chosen one among them.
    fn steps(&self, width: usize, room: usize) -> Vec<String> {
        let offered = self.walk.offered();
        if room == 0 {
            return Vec::new();
        }
        if offered.is_empty() {
            return vec!["nothing can happen any more".to_string()];
        }
        let shown = room - 1;
        let first = self.walk.chosen().saturating_sub(shown / 2);
        let first = first.min(offered.len().saturating_sub(shown));
        let mut lines = vec![format!("{} can be taken:", steps_in_words(offered.len()))];
        for (i, (name, leads_on)) in offered.iter().enumerate().skip(first).take(shown) {
            let star = if *leads_on { '★' } else { ' ' };
            let mark = if i == self.walk.chosen() { '▸' } else { ' ' };
            let line = cut(&printable(&format!("{mark} {star} {name}")), width);
            let is_chosen = i == self.walk.chosen();
            lines.push(if is_chosen { (self.strong)(&line) } else { line });
        }
        lines
    }

    fn keys(&self, width: usize) -> Vec<String> {
        let keys = match self.typed {
            "" => {
                "→ next  ← back  ↑ ↓ choose  Enter take  0-9 go to  s state  r recorded run  q quit"
            }
            _ => return vec![format!("go to step {}  (Enter; Esc forgets it)", self.typed)],
        };
        wrap(keys, width)
    }
}

fn steps_in_words(n: usize) -> String {
    if n == 1 { "1 step".to_string() } else { format!("{n} steps") }
}

/// How many characters of a line are seen: escape codes are not.
fn seen(line: &str) -> usize {
    anstream::adapter::strip_str(line).to_string().chars().count()
}
