//! The pages of `report` for a protocol that is not of the catalogue, whose texts are hostile.

use oneleader::cli::report;
use oneleader::election::{About, BugSpec, Catalogue, Costs, Election, Only, Visitor};

#[path = "../examples/own_actor.rs"]
#[allow(dead_code)]
mod own_actor;
use own_actor::Poll;

const HOSTILE: &str = "<script>alert(\"x\")</script>\" onload='&lt;]]>\u{202e}\u{1b}[31m";

/// The protocol of the example, which says other things of itself.
static ABOUT: About = About {
    name: "poll",
    title: HOSTILE,
    source: HOSTILE,
    has_terms: true,
    starts_led: false,
    notation: &[],
    options: &[],
    bugs: &[BugSpec {
        name: "votes-for-everyone",
        summary: HOSTILE,
        rule: HOSTILE,
        instead: HOSTILE,
        published: HOSTILE,
        costs: Costs::Safety,
    }],
    corpus: r#"
        [[scenario]]
        name = "<b>&amp;-\"x\""
        note = '<img src="x" onerror="alert(1)">'
        nodes = 3
        bounds = { max_term = 1 }

        [[scenario]]
        name = "votes-for-everyone"
        note = '<img src="x" onerror="alert(1)">'
        nodes = 3
        bounds = { max_term = 1 }
        bug = "votes-for-everyone"
        [scenario.expect]
        election-safety = { verdict = "violated", steps = 6 }
    "#,
};

struct Hostile;

impl Catalogue for Hostile {
    fn all(&self) -> Vec<&'static About> {
        vec![&ABOUT]
    }
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output> {
        Only::<Poll>::new().visit(name, visitor)
    }
}

#[test]
fn whatever_a_protocol_says_is_text_on_its_pages() {
    let plain = report::pages(&Only::<Poll>::new(), &[]).expect("pages");
    let pages = report::pages(&Hostile, &[]).expect("pages");
    let paths: Vec<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["index.html", "poll.html", "poll/bug-votes-for-everyone.html"]);
    for ((path, page), (_, plain)) in pages.iter().zip(&plain) {
        assert!(page.contains("&lt;script&gt;alert(&quot;x&quot;)"), "{path}");
        assert!(!page.contains("<img") && !page.contains("<b>&"), "{path}");
        assert!(!page.contains(['\u{202e}', '\u{1b}']), "{path}");
        let scripts = |page: &str| page.matches("<script").count();
        assert_eq!(scripts(page), scripts(plain), "{path}");
    }
}

#[test]
fn a_run_is_told_step_by_step_with_what_changed() {
    let pages = report::pages(&Only::<Poll>::new(), &["poll".to_string()]).expect("pages");
    let (_, page) = &pages[2];
    assert_eq!(Poll::about().bugs[0].name, "votes-for-everyone");
    for text in ["id=\"step-6\"", "in 6 steps", "<ins>true</ins>", "leads term 1", "data-row=\"6\""]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(report::pages(&Only::<Poll>::new(), &["pol".to_string()]).is_err());
}
