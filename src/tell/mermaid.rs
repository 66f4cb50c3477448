//! A run as a sequence diagram of Mermaid, which GitHub and others draw where it stands in a text.
//! A message stands where it arrives; what nobody receives stands where it was sent.

use std::fmt::Write;

use crate::election::node_name;
use crate::semantics::StepKind;
use crate::tell::diagram::{Arrow, Caption, Diagram, End, Row};
use crate::tell::scene::Scene;

/// The text, without a fence around it.
pub fn export(scene: &Scene, caption: &Caption) -> String {
    let diagram = Diagram::new(scene, caption.clone());
    let mut text = format!("---\ntitle: \"{}\"\n---\nsequenceDiagram\n", title(&caption.title));
    for name in &diagram.lanes {
        let _ = writeln!(text, "  participant {name}");
    }
    let mut leads = vec![false; diagram.lanes.len()];
    for (i, row) in diagram.rows.iter().enumerate().skip(1) {
        if Some(i) == diagram.checked_from {
            say(&mut text, &over_all(&diagram), "checked from here");
        }
        if Some(i) == diagram.cycle {
            text += "  loop for ever\n";
        }
        tell(&mut text, &diagram, i, row);
        for (lane, was) in leads.iter_mut().enumerate() {
            let is = scene.frames[i - 1].after.nodes[lane].leads.is_some();
            if is != *was {
                let verb = if is { "activate" } else { "deactivate" };
                let _ = writeln!(text, "  {verb} {}", diagram.lanes[lane]);
            }
            *was = is;
        }
    }
    if diagram.cycle.is_some() {
        text += "  end\n";
    }
    if caption.is_violation {
        let what = format!("{}: {}", caption.shows, caption.why);
        say(&mut text, &over_all(&diagram), &what);
    }
    text
}

/// One step.
fn tell(text: &mut String, diagram: &Diagram, i: usize, row: &Row) {
    let mut draw = |arrow: &Arrow, head: &str, end: &str| {
        let (src, dst) = (node_name(arrow.src.into()), node_name(arrow.dst.into()));
        let term = match diagram.colour(arrow.term) {
            Some(_) => diagram.term_name(arrow.term).map(|name| format!(", {name}")),
            None => None,
        };
        let label = format!("{}{}{end}", arrow.label, term.unwrap_or_default());
        let _ = writeln!(text, "  {src}{head}{dst}: {}", safe(&label));
    };
    for arrow in &diagram.arrows {
        match arrow.end {
            End::Delivered(at) if at == i => draw(arrow, "->>", ""),
            End::Lost(at) if at == i => draw(arrow, "--x", ""),
            _ => {}
        }
    }
    let is_unheard = |arrow: &&Arrow| arrow.end == End::Open && arrow.sent == i;
    for arrow in diagram.arrows.iter().filter(is_unheard) {
        draw(arrow, "--)", ", not received");
    }
    let notes: Vec<&str> = row.notes.iter().map(|note| note.text.as_str()).collect();
    match (row.kind, row.lane) {
        (Some(StepKind::Tick | StepKind::Switch | StepKind::Stabilise), _) => {
            say(text, &over_all(diagram), &row.label);
        }
        (Some(StepKind::Deliver), Some(lane)) if !notes.is_empty() => {
            say(text, &diagram.lanes[lane], &notes.join(", "));
        }
        (Some(StepKind::Deliver | StepKind::Lose | StepKind::Duplicate), _) | (_, None) => {}
        (_, Some(lane)) => {
            let all: Vec<&str> = [row.label.as_str()].into_iter().chain(notes).collect();
            say(text, &diagram.lanes[lane], &all.join(", "));
        }
    }
}

fn say(text: &mut String, over: &str, what: &str) {
    let _ = writeln!(text, "  Note over {over}: {}", safe(what));
}

fn over_all(diagram: &Diagram) -> String {
    match &diagram.lanes[..] {
        [first, .., last] => format!("{first},{last}"),
        [only] => only.clone(),
        [] => String::new(),
    }
}

/// What means something to Mermaid, or to the page around it, becomes the number of a character.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '`' | '%' | '{' | '}' | '\\' => {
                let _ = write!(safe, "#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// The title stands in quotes.
fn title(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_a_command() {
        assert_eq!(safe("a;b#c<d>"), "a#59;b#35;c#60;d#62;");
        assert_eq!(safe("end\n  activate n1"), "end   activate n1");
        assert_eq!(title("x\"\n---\ny\\"), "x---y");
    }
}
