//! A run in plain text, step by step. Each step shows only what it changed.

use std::fmt::Write;

use crate::election::node_name;
use crate::tell::scene::{Frame, Reign, Scene};

/// The whole run, numbered from where checking starts.
pub fn tell(scene: &Scene) -> String {
    by_step(scene).concat()
}

/// The same, as one text for each step.
pub fn by_step(scene: &Scene) -> Vec<String> {
    let before = scene.prefix;
    let text = |(i, frame): (usize, &Frame)| {
        let mut text = String::new();
        if i == 0 && before > 0 {
            text += "    start:\n";
        }
        if i == before && before > 0 {
            text += "    checked from here:\n";
        }
        let number = if i < before { "-".to_string() } else { (i - before + 1).to_string() };
        let _ = writeln!(text, "{number:>5}  {}", frame.name);
        for change in changes(frame, scene.has_terms) {
            let _ = writeln!(text, "         {change}");
        }
        text
    };
    scene.frames.iter().enumerate().map(text).collect()
}

/// What a step changed: lines for each changed node, and for the messages sent.
pub fn changes(frame: &Frame, has_terms: bool) -> Vec<String> {
    let name = |node: usize| node_name(node.into());
    let mut lines = Vec::new();
    for change in &frame.changes {
        let node = name(change.node);
        if !change.parts.is_empty() {
            lines.push(format!("{node}: {}", change.parts.join(", ")));
        }
        match change.reign {
            Some(Reign::Begins(term)) if has_terms => {
                lines.push(format!("=> {node} leads term {term}"))
            }
            Some(Reign::Begins(_)) => lines.push(format!("=> {node} leads")),
            Some(Reign::Ends) => lines.push(format!("=> {node} leads no more")),
            None => {}
        }
    }
    for sent in &frame.sent {
        let to: Vec<String> = sent.to.iter().map(|&node| name(node)).collect();
        lines.push(format!("{} -> {}: {}", name(sent.src), to.join(", "), sent.text));
    }
    lines
}
