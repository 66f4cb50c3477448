//! How wide a text is, and texts fitted into a width. Which font draws the text is not known here,
//! so widths are those of a wide one; other fonts take less.

/// The width of a text of this size, at most.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The width of a character in parts of the size.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '|' | '.' | ',' | ':' | ';' | '\'' | ' ' | '!' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 0.43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' => 0.73,
        c if c.is_ascii() => 0.63,
        '–' | '…' => 0.8,
        _ => 1.1,
    }
}

/// The text, cut off at this width.
pub(super) fn fit(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_string();
    }
    let mut fitted = String::new();
    for c in text.chars() {
        if width(&fitted, size) + em(c) * size + em('…') * size > most {
            break;
        }
        fitted.push(c);
    }
    fitted.trim_end().to_string() + "…"
}

/// The text in lines of at most this width.
pub(super) fn wrap(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = fit(word, size, most);
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
