//! A run in plain sentences, one or two for each step.

use std::fmt::Write;

use crate::tell::prose::wrap;
use crate::tell::scene::{Frame, Scene};

/// How wide the text is.
const WIDTH: usize = 96;

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
        if Some(i) == scene.cycle {
            text += "    from here on it goes round for ever:\n";
        }
        let number = if i < before { "-".to_string() } else { (i - before + 1).to_string() };
        for (line, words) in wrap(&frame.told, WIDTH - 7).iter().enumerate() {
            let number = if line == 0 { number.as_str() } else { "" };
            let _ = writeln!(text, "{number:>5}  {words}");
        }
        text
    };
    scene.frames.iter().enumerate().map(text).collect()
}
