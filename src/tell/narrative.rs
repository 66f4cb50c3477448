//! A run in plain sentences, one or two for each step.

use std::fmt::Write;

use crate::semantics::StepKind;
use crate::tell::prose::wrap;
use crate::tell::scene::Scene;

/// How wide the text is.
const WIDTH: usize = 96;

/// The whole run, numbered from where checking starts.
pub fn tell(scene: &Scene) -> String {
    let mut text = String::new();
    let mut i = 0;
    while i < scene.frames.len() {
        let ticks = idle_ticks(scene, i);
        if ticks < 2 {
            text += &step(scene, i);
            i += 1;
        } else {
            let number = format!("{}–{}", number(scene, i), number(scene, i + ticks - 1));
            let number = if i < scene.prefix { "-".to_string() } else { number };
            let _ = writeln!(text, "{}{number:>5}  Time passes: {ticks} ticks.", heading(scene, i));
            i += ticks;
        }
    }
    text
}

/// How many ticks pass from there on in which nothing else happens, up to the next heading.
fn idle_ticks(scene: &Scene, from: usize) -> usize {
    let is_idle = |i: &usize| {
        let has_heading = *i > from && !heading(scene, *i).is_empty();
        scene.frames[*i].kind == StepKind::Tick && scene.frames[*i].gone.is_empty() && !has_heading
    };
    (from..scene.frames.len()).take_while(is_idle).count()
}

/// The same, as one text for each step.
pub fn by_step(scene: &Scene) -> Vec<String> {
    (0..scene.frames.len()).map(|i| step(scene, i)).collect()
}

fn step(scene: &Scene, i: usize) -> String {
    let mut text = heading(scene, i);
    for (line, words) in wrap(&scene.frames[i].told, WIDTH - 7).iter().enumerate() {
        let number = if line == 0 { number(scene, i) } else { String::new() };
        let _ = writeln!(text, "{number:>5}  {words}");
    }
    text
}

/// What stands above a step.
fn heading(scene: &Scene, i: usize) -> String {
    let mut text = String::new();
    if i == 0 && scene.prefix > 0 {
        text += "    start:\n";
    }
    if i == scene.prefix && scene.prefix > 0 {
        text += "    checked from here:\n";
    }
    if Some(i) == scene.cycle {
        text += "    from here on it goes round for ever:\n";
    }
    text
}

fn number(scene: &Scene, i: usize) -> String {
    if i < scene.prefix { "-".to_string() } else { (i - scene.prefix + 1).to_string() }
}
