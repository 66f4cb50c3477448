//! The tables of the first page with the answers about liveness: by what the links do, and what
//! fails.

use maud::{Markup, html};

use super::gather::{Book, Chapter, Live};
use super::parts::{answer, scrolled};
use crate::scenario::Size;

/// Numbers as names of systems begin with them.
const NUMBERS: [&str; 8] = ["none", "one", "two", "three", "four", "five", "six", "seven"];

/// A protocol with so many nodes and some of its options set: systems whose names begin alike.
struct Variant<'a> {
    chapter: &'a Chapter,
    nodes: usize,
    name: String,
    /// By the name without the variant's.
    systems: Vec<(&'a str, &'a Live)>,
}

impl Variant<'_> {
    fn has(&self, base: &str) -> bool {
        self.systems.iter().any(|(other, _)| *other == base)
    }
}

/// The name of a large system, without the number of its nodes.
fn plain_name(live: &Live) -> &str {
    let name = live.scenario.name.as_str();
    let number = NUMBERS.get(live.scenario.nodes).filter(|_| is_large(live));
    let plain = number.and_then(|number| name.strip_prefix(number)?.strip_prefix('-'));
    plain.unwrap_or(name)
}

fn is_large(live: &Live) -> bool {
    live.scenario.size == Size::Deep
}

/// The systems that are large, or those that are not.
fn variants(book: &Book, large: bool) -> Vec<Variant<'_>> {
    let mut all: Vec<Variant<'_>> = Vec::new();
    for chapter in &book.chapters {
        let systems: Vec<&Live> =
            chapter.systems.iter().filter(|live| is_large(live) == large).collect();
        let names: Vec<&str> = systems.iter().map(|live| plain_name(live)).collect();
        for live in systems {
            let (name, nodes) = (plain_name(live), live.scenario.nodes);
            let base = names.iter().filter_map(|base| {
                let variant = name.strip_suffix(base)?.strip_suffix('-')?;
                Some((variant, *base))
            });
            // The longest name that it ends with.
            let (variant, base) = base.max_by_key(|(_, base)| base.len()).unwrap_or(("", name));
            let is_it = |known: &Variant<'_>| {
                known.chapter.about.name == chapter.about.name
                    && known.name == variant
                    && (known.nodes == nodes || !large)
            };
            match all.iter_mut().find(|known| is_it(known)) {
                Some(known) => known.systems.push((base, live)),
                None => {
                    let systems = vec![(base, live)];
                    all.push(Variant { chapter, nodes, name: variant.to_string(), systems });
                }
            }
        }
    }
    all
}

/// The systems that several protocols have, or several variants of a protocol, if these count.
fn columns<'a>(all: &[Variant<'a>], variants_count: bool) -> Vec<&'a str> {
    let mut columns: Vec<&str> = Vec::new();
    for (base, _) in all.iter().flat_map(|variant| &variant.systems) {
        let with: Vec<&Variant<'_>> = all.iter().filter(|variant| variant.has(base)).collect();
        let is_other = |variant: &&Variant<'_>| {
            variants_count || variant.chapter.about.name != with[0].chapter.about.name
        };
        if !columns.contains(base) && with[1..].iter().any(is_other) {
            columns.push(base);
        }
    }
    columns
}

/// Answers about liveness.
pub(super) fn section(book: &Book) -> Markup {
    let (small, large) = (variants(book, false), variants(book, true));
    let mut of_small = columns(&small, false);
    if let [_] = &book.chapters[..] {
        let bases = small.iter().flat_map(|variant| &variant.systems).map(|(base, _)| *base);
        of_small = bases.fold(Vec::new(), |mut all, base| {
            if !all.contains(&base) {
                all.push(base);
            }
            all
        });
    }
    let of_large = columns(&large, true);
    if of_small.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="liveness" {
            h2 id="liveness" { "Liveness: a leader comes, and stays" }
            p.small {
                "Does a stable leader come? (Where nodes agree on one value: does everybody learn "
                "it?) By what the links do, and what fails. A link leads to a run that shows it."
            }
            (scrolled("Answers about liveness by protocol and system", &table(&small, &of_small)))
            @if !of_large.is_empty() {
                h3 id="more-nodes" { "With more nodes" }
                p.small {
                    "The same of four and five nodes. These answers take minutes, so they are read "
                    "from stored results where there are any: see "
                    a href="#sources" { "where they come from" } "."
                }
                (scrolled("Answers about liveness of more nodes", &table(&large, &of_large)))
            }
            p.small {
                "Guaranteed: on every run. Almost sure: with probability one. Can be lost: some runs "
                "lose it. Never: no run has it. Unknown: a bound cut off too much to tell. Further systems "
                "and questions stand on the pages of the protocols."
            }
        }
    }
}

fn table(all: &[Variant<'_>], columns: &[&str]) -> Markup {
    let is_shown = |variant: &&Variant<'_>| columns.iter().any(|column| variant.has(column));
    html! {
        table.matrix.answers {
            thead {
                tr {
                    th scope="col" { "Protocol" }
                    @for column in columns { th scope="col" { (column.replace('-', " ")) } }
                }
            }
            tbody {
                @for variant in all.iter().filter(is_shown) {
                    tr {
                        th scope="row" {
                            a href={ (variant.chapter.path) "#liveness" } { (variant.chapter.about.name) }
                            @let said = said(variant);
                            @if !said.is_empty() { br; small { (said) } }
                        }
                        @for column in columns { td { (first_answer(variant, column)) } }
                    }
                }
            }
        }
    }
}

/// What a variant is, besides its protocol.
fn said(variant: &Variant<'_>) -> String {
    let name = variant.name.replace('-', " ");
    let is_large = variant.systems.iter().any(|(_, live)| is_large(live));
    match (is_large, name.is_empty()) {
        (false, _) => name,
        (true, true) => format!("{} nodes", variant.nodes),
        (true, false) => format!("{name}, {} nodes", variant.nodes),
    }
}

fn first_answer(variant: &Variant<'_>, column: &str) -> Markup {
    let system = variant.systems.iter().find(|(base, _)| *base == column);
    let Some((first, known)) =
        system.and_then(|(_, live)| Some((live.answers.first()?, live.known)))
    else {
        return html! {
            span.none { span aria-hidden="true" { "·" } span.unseen { "not asked" } }
        };
    };
    let word = first.answer.split(' ').next().unwrap_or_default();
    let run = first.run.map(|run| variant.chapter.runs[run].path.as_str());
    answer(word, run, known)
}
