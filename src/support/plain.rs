//! Errors in the input in plain words. The messages of the parsers of TOML and JSON name Rust types
//! of this program, which users do not know.

/// Messages of the TOML parser about values that it cannot read, each with its plain words.
const SYNTAX: [(&str, &str); 4] = [
    ("invalid boolean, expected `true`", "expected a value: a text stands in quotes"),
    ("invalid boolean, expected `false`", "expected a value: a text stands in quotes"),
    (
        "string values must be quoted, expected literal string",
        "expected one value: a text stands in quotes",
    ),
    ("invalid basic string, expected `\"`", "a text begins here whose closing `\"` is missing"),
];

/// The message of a parser in plain words. Messages that are not known here stay as they are.
pub fn plain(message: &str) -> String {
    let message = message.trim();
    if let Some((_, plainly)) = SYNTAX.iter().find(|(said, _)| *said == message) {
        return plainly.to_string();
    }
    if let Some(rest) = message.strip_prefix("unknown field `") {
        return unknown("key", rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        return unknown("word", rest);
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("the key {rest} is missing");
    }
    if let Some(rest) = message.strip_prefix("duplicate field ") {
        return format!("the key {rest} stands twice");
    }
    let typed = ["invalid type: ", "invalid value: ", "invalid "];
    let typed =
        typed.iter().find_map(|start| message.strip_prefix(start)?.rsplit_once(", expected "));
    match typed {
        Some((found, expected)) => format!("expected {}, found {}", kind(expected), thing(found)),
        None => message.to_string(),
    }
}

/// The message of the TOML parser, with the table that it is about.
pub fn of_toml(e: &toml::de::Error) -> String {
    let whole = e.to_string();
    let place = whole.lines().rfind(|line| line.starts_with("in `"));
    let place = place.map(|place| format!("{}: ", place.trim())).unwrap_or_default();
    format!("{place}{}", plain(e.message()))
}

/// `rest` is the unknown name, a backtick, and what was expected instead.
fn unknown(what: &str, rest: &str) -> String {
    let (name, expected) = rest.split_once("`, ").unwrap_or((rest.trim_end_matches('`'), ""));
    let known = expected.split('`').skip(1).step_by(2);
    format!("unknown {what} `{name}`{}", among(name, known))
}

/// What a parser expected.
fn kind(expected: &str) -> String {
    match expected {
        "usize" | "u64" => "a whole number from 0 on".to_string(),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "i64" | "isize" => "a whole number".to_string(),
        "f64" => "a number".to_string(),
        "a boolean" => "true or false".to_string(),
        "a string" | "string or table" | "a borrowed string" | "string or map" => {
            "a text".to_string()
        }
        "a sequence" => "a list".to_string(),
        "a map" => "keys with values".to_string(),
        other if other.starts_with("struct ") => "keys with values".to_string(),
        other if other.starts_with("enum ") => "a text".to_string(),
        other => other.to_string(),
    }
}

/// What a parser found.
fn thing(found: &str) -> String {
    let words = [
        ("boolean `", "`"),
        ("integer `", "the number `"),
        ("floating point `", "the number `"),
        ("string \"", "the text \""),
        ("sequence", "a list"),
        ("map", "keys with values"),
        ("length ", "a list, its length "),
        ("null", "nothing (null)"),
        ("unit value", "nothing"),
        ("Option value", "nothing"),
    ];
    let word = words
        .iter()
        .find_map(|(start, word)| Some(format!("{word}{}", found.strip_prefix(start)?)));
    word.unwrap_or_else(|| found.to_string())
}

/// The end of a message about an unknown name: the most similar known name, and all known names.
pub fn among<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        return "; there are none".to_string();
    }
    let hint = nearest(name, known.iter().copied());
    format!("{hint} (there are: {})", known.join(", "))
}

/// The end of a message about an unknown name: the known name that is most like it, if one is.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|known| (distance(name, known), known)).min();
    match nearest {
        Some((d, known)) if d * 2 <= name.len().max(4) => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

/// The edit distance: how many letters must be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Whether a text can be printed without escaping: no character moves the cursor, ends the line or
/// changes the direction of writing.
pub fn is_printable(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// The text with every character escaped that cannot be printed safely. Line ends and tabs stay.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            c if is_hidden(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

fn is_hidden(c: char) -> bool {
    let is_direction =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || is_direction || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the parser in use says it: another version may say it otherwise, and then this fails.
    #[test]
    fn a_value_that_cannot_be_read_is_told_in_plain_words() {
        for (text, plainly) in [
            ("a = three", "expected a value: a text stands in quotes"),
            ("a = fore", "expected a value: a text stands in quotes"),
            ("a = 3 4", "expected one value: a text stands in quotes"),
            ("a = \"x", "a text begins here whose closing `\"` is missing"),
        ] {
            let error = toml::from_str::<toml::Table>(text).unwrap_err();
            assert_eq!(plain(error.message()), plainly, "{text}");
        }
    }

    #[test]
    fn what_a_parser_says_of_types_is_said_in_plain_words() {
        for (said, plainly) in [
            (
                "invalid type: string \"x\", expected usize",
                "expected a whole number from 0 on, found the text \"x\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number from 0 to 4294967295, found the number `-1`",
            ),
            (
                "invalid length 0, expected struct Versioned with 1 element",
                "expected keys with values, found a list, its length 0",
            ),
            ("invalid type: sequence, expected a string", "expected a text, found a list"),
            ("missing field `nodes`", "the key `nodes` is missing"),
            ("unknown field `a`, there are no fields", "unknown key `a`; there are none"),
            (
                "unknown variant `tmed`, expected one of `asynchronous`, `timed`",
                "unknown word `tmed`; did you mean `timed`? (there are: asynchronous, timed)",
            ),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        assert_eq!(printable("a\u{1b}[31m\n\u{202e}b"), "a\\u{1b}[31m\n\\u{202e}b");
        assert!(is_printable("größer -> n1"));
        assert!(!is_printable("a\nb"));
    }
}
