//! From the text of a protocol to a text that holds all its mutants at once.
//!
//! Every place where a mistake can be made becomes a *schema*: the expression `E` becomes `(if
//! !crate::switch::on(17) { E } else { M })`, the statement `S` becomes `if !crate::switch::on(18)
//! { S }`, and so on. The text is not printed anew from its syntax tree: schemata are spliced into
//! it, so that whatever is not mutated stays as it was written. All that is known of types is what
//! the declarations of the same protocol say ([`facts`]); what cannot be known from them is not
//! mutated, for all mutants must compile.
//!
//! The build script uses this, and so do the tests of this crate; nothing of it is in the program.

mod bugs;
mod expressions;
mod facts;
mod functions;
mod splice;
mod statements;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;

use syn::spanned::Spanned;

use facts::Facts;
use splice::Splices;

/// One source file of a protocol.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root of the repository, with slashes.
    pub path: String,
    pub text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    pub number: u32,
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub function: String,
    pub operator: &'static str,
    pub original: String,
    pub mutated: String,
    /// Which one it is of those in the same function with equal operator and texts, from 1.
    pub occurrence: usize,
}

/// What comes of a protocol.
pub struct Mutated {
    pub files: Vec<Source>,
    pub mutants: Vec<Mutant>,
}

/// Mutates one protocol. Its mutants are numbered from `first`.
///
/// # Errors
/// A file that is no Rust.
pub fn mutate(sources: &[Source], first: u32) -> Result<Mutated, String> {
    let parse = |source: &Source| {
        syn::parse_file(&source.text).map_err(|e| format!("{}: {e}", source.path))
    };
    let trees: Vec<syn::File> = sources.iter().map(parse).collect::<Result<_, _>>()?;
    let facts = Facts::of(&trees);
    let mut mutated = Mutated { files: Vec::new(), mutants: Vec::new() };
    for (source, tree) in sources.iter().zip(&trees) {
        let next = first + mutated.mutants.len() as u32;
        let mut mutator = Mutator::new(source, &facts, next);
        mutator.file(tree);
        mutated.mutants.append(&mut mutator.mutants);
        let text = mutator.splices.into_text(&source.text);
        mutated.files.push(Source { path: source.path.clone(), text });
    }
    number_occurrences(&mut mutated.mutants);
    Ok(mutated)
}

fn number_occurrences(mutants: &mut [Mutant]) {
    let mut seen: BTreeMap<(String, String, &str, String, String), usize> = BTreeMap::new();
    for m in mutants {
        let key =
            (m.file.clone(), m.function.clone(), m.operator, m.original.clone(), m.mutated.clone());
        let count = seen.entry(key).or_default();
        *count += 1;
        m.occurrence = *count;
    }
}

/// Goes through one file and notes what is to be spliced in.
struct Mutator<'a> {
    source: &'a Source,
    facts: &'a Facts,
    splices: Splices,
    mutants: Vec<Mutant>,
    next: u32,
    /// The function that is being gone through.
    function: String,
    /// Whether it returns nothing.
    is_unit: bool,
    /// How it names the commands that a handler gives: `o`, or `self.o`.
    out: Option<String>,
    /// Local names that say whether a bug is planted.
    aliases: Vec<String>,
    /// Local names of which only `let` says what they are.
    locals: Vec<String>,
}

impl<'a> Mutator<'a> {
    fn new(source: &'a Source, facts: &'a Facts, next: u32) -> Self {
        Mutator {
            source,
            facts,
            splices: Splices::default(),
            mutants: Vec::new(),
            next,
            function: String::new(),
            is_unit: false,
            out: None,
            aliases: Vec::new(),
            locals: Vec::new(),
        }
    }

    fn range(&self, of: &impl Spanned) -> Range<usize> {
        of.span().byte_range()
    }

    fn text(&self, of: &impl Spanned) -> &'a str {
        &self.source.text[self.range(of)]
    }

    /// Takes note of a mutant and gives its number.
    fn note(
        &mut self,
        of: &impl Spanned,
        operator: &'static str,
        original: &str,
        mutated: &str,
    ) -> u32 {
        let number = self.next;
        self.next += 1;
        self.mutants.push(Mutant {
            number,
            file: self.source.path.clone(),
            line: of.span().start().line,
            function: self.function.clone(),
            operator,
            original: one_line(original),
            mutated: one_line(mutated),
            occurrence: 1,
        });
        number
    }

    /// The expression may be another one.
    fn replace(&mut self, of: &impl Spanned, operator: &'static str, mutated: &str) {
        let original = self.text(of);
        if one_line(original) == one_line(mutated) {
            return;
        }
        let number = self.note(of, operator, original, mutated);
        let (before, after) = schema(number, mutated);
        self.splices.wrap(self.range(of), before, after);
    }
}

fn schema(number: u32, mutated: &str) -> (String, String) {
    (format!("(if !crate::switch::on({number}) {{ "), format!(" }} else {{ {mutated} }})"))
}

/// A text without line breaks and comments.
fn one_line(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
