//! What must be true of every diagram, tried on the counterexamples of the corpora.

use std::sync::OnceLock;

use oneleader::exploration::verdict::Verdict;
use oneleader::judge::{self, Chosen, Request};
use oneleader::models::{self, Shipped};
use oneleader::scenario::{Scenario, Size, corpus};
use oneleader::semantics::StepKind;
use oneleader::tell::diagram::layout::{Bounds, Layout};
use oneleader::tell::diagram::svg::{Theme, draw};
use oneleader::tell::diagram::{Arrow, Caption, Condition, Diagram, End, Stretch, terminal};
use oneleader::tell::flight::{Flight, Sent};
use oneleader::tell::scene::{Reign, Scene};

type Found = (String, Scene, Caption);

/// Counterexamples that are found quickly, with their names.
fn scenes() -> &'static [Found] {
    static SCENES: OnceLock<Vec<Found>> = OnceLock::new();
    SCENES.get_or_init(search)
}

fn search() -> Vec<Found> {
    let mut request = Request::default();
    (request.limits.threads, request.limits.max_states) = (1, Some(3_000));
    let mut scenes = Vec::new();
    for about in models::all() {
        let is_violated = |scenario: &Scenario| {
            let expected = &scenario.expect;
            scenario.size == Size::Small
                && expected.values().any(|expected| expected.verdict == Verdict::Violated)
        };
        let all = corpus::of(about).expect("a corpus");
        for scenario in all.into_iter().filter(is_violated) {
            let chosen = Chosen { about, scenario, is_as_written: false, remark: None };
            let title = chosen.title();
            let checked = judge::prepare(&Shipped, chosen, &request).expect("it is built");
            for answer in checked.run(&|_| ()).answers {
                let Some(found) = answer.counterexample else { continue };
                let caption = Caption {
                    title: title.clone(),
                    shows: format!("{} is violated", answer.property),
                    why: answer.conclusion.why.unwrap_or_default(),
                    meaning: answer.meaning.to_string(),
                    is_violation: true,
                };
                scenes.push((title.clone(), found.scene, caption));
            }
        }
    }
    assert!(!scenes.is_empty());
    scenes
}

/// Every message begins where it was sent and ends where it arrived; every delivery is the end of
/// one message.
fn expect_arrows_fit(title: &str, scene: &Scene, diagram: &Diagram) {
    let of_row = |row: usize| row.checked_sub(1).map(|frame| &scene.frames[frame]);
    for arrow in &diagram.arrows {
        let vain = of_row(arrow.sent).map_or(&[][..], |frame| &frame.sent_in_vain);
        let sent = of_row(arrow.sent).map_or(&scene.sent_at_start, |frame| &frame.sent);
        let is_it = |sent: &Sent| {
            sent.src == arrow.src && sent.text == arrow.text && sent.to.contains(&arrow.dst)
        };
        assert!(sent.iter().chain(vain).any(is_it), "{title}: {arrow:?} was not sent there");
        if let Some(frame) = of_row(arrow.sent).filter(|frame| frame.kind != StepKind::Duplicate) {
            assert_eq!(frame.node, Some(arrow.src), "{title}: {arrow:?}");
        }
        let flight = Flight { src: arrow.src, dst: arrow.dst, text: arrow.text.clone() };
        match arrow.end {
            End::Delivered(row) => {
                let frame = of_row(row).expect("nothing arrives at the start");
                assert!(arrow.sent < row, "{title}: {arrow:?}");
                assert_eq!(frame.message.as_ref(), Some(&flight), "{title}: {arrow:?}");
                assert_eq!(frame.node, Some(arrow.dst), "{title}: {arrow:?}");
            }
            End::Lost(row) => {
                let frame = of_row(row).expect("nothing is lost at the start");
                let is_there =
                    frame.message.as_ref() == Some(&flight) || frame.gone.contains(&flight);
                assert!(is_there && arrow.sent < row, "{title}: {arrow:?}");
            }
            End::Open => {}
        }
    }
    for (i, frame) in scene.frames.iter().enumerate() {
        let is_delivery =
            frame.message.is_some() && !matches!(frame.kind, StepKind::Lose | StepKind::Duplicate);
        let ends = diagram.arrows.iter().filter(|arrow| arrow.end == End::Delivered(i + 1)).count();
        assert_eq!(ends, usize::from(is_delivery), "{title}: {}", frame.name);
    }
}

/// Each lane is in one condition at a time, from the start to the end.
fn expect_lanes_are_whole(title: &str, diagram: &Diagram) {
    for lane in 0..diagram.lanes.len() {
        let here = || diagram.stretches.iter().filter(|stretch| stretch.lane == lane);
        assert_eq!(here().next().map(|stretch| stretch.from), Some(0), "{title}");
        assert_eq!(here().next_back().map(|stretch| stretch.to), Some(diagram.last()), "{title}");
        let pairs = here().zip(here().skip(1));
        pairs.for_each(|(a, b)| assert_eq!(a.to, b.from, "{title}: {a:?} {b:?}"));
    }
}

fn overlap(a: Bounds, b: Bounds) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

/// No two texts stand on the same place, and all stand within the picture.
fn expect_texts_are_apart(title: &str, diagram: &Diagram) {
    let Layout { texts, size: (width, height), .. } = Layout::new(diagram);
    for (i, (text, place)) in texts.iter().enumerate() {
        let (left, top, right, bottom) = *place;
        let is_inside = left >= 0.0 && top >= 0.0 && right <= width && bottom <= height;
        assert!(is_inside, "{title}: {text:?} is outside of {width} by {height}");
        for (other, there) in &texts[i + 1..] {
            assert!(!overlap(*place, *there), "{title}: {text:?} overlaps with {other:?}");
        }
    }
}

#[test]
fn diagrams_are_right_and_can_be_read() {
    for (title, scene, caption) in scenes() {
        let diagram = Diagram::new(scene, caption.clone());
        expect_arrows_fit(title, scene, &diagram);
        expect_lanes_are_whole(title, &diagram);
        expect_texts_are_apart(title, &diagram);
        for width in [80, 100, 160] {
            let picture = terminal::draw(&diagram, width, &|text, _| text.to_string());
            let widest = picture.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{title}: {widest:?} of {width}\n{picture}");
        }
    }
}

/// Whom a node asks, or promises something to, by the words of the narration.
fn addressed(told: &str, verb: &str) -> Vec<usize> {
    let Some((_, rest)) = told.split_once(verb) else { return Vec::new() };
    let words = rest.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    let node = |word: &str| word.strip_prefix('n')?.parse::<usize>().ok();
    words.map_while(node).map(|number| number - 1).collect()
}

/// What the narration says that a step sends is drawn, be it that the message can have no effect
/// any more, or that an equal one is on its way.
#[test]
fn every_message_that_is_told_is_drawn() {
    let (mut told, mut vain) = (0, 0);
    for (title, scene, caption) in scenes() {
        let diagram = Diagram::new(scene, caption.clone());
        for (i, frame) in scene.frames.iter().enumerate() {
            if frame.kind == StepKind::Torn {
                continue;
            }
            let asked = addressed(&frame.told, " asks ");
            for dst in asked.into_iter().chain(addressed(&frame.told, " promises ")) {
                let is_it = |arrow: &&Arrow| arrow.sent == i + 1 && arrow.dst == dst;
                assert!(diagram.arrows.iter().any(|a| is_it(&a)), "{title}: {}", frame.told);
                told += 1;
                let is_vain = frame.sent_in_vain.iter().any(|sent| sent.to.contains(&dst));
                vain += usize::from(is_vain);
            }
        }
    }
    assert!(told > 100 && vain > 5, "{told} {vain}");
}

/// A message that names a term is drawn as one of this term, whatever term its sender is in.
#[test]
fn a_message_is_drawn_in_the_term_that_it_names() {
    let mut others = 0;
    for (title, scene, caption) in scenes() {
        let diagram = Diagram::new(scene, caption.clone());
        for arrow in &diagram.arrows {
            let Some((word, value)) = diagram.term_name(arrow.term).and_then(|t| t.split_once(' '))
            else {
                continue;
            };
            let Some((_, named)) = arrow.text.split_once(&format!(" {word}: ")) else { continue };
            let named: String =
                named.chars().take_while(|c| c.is_alphanumeric() || *c == '.').collect();
            assert_eq!(named, value, "{title}: {}", arrow.text);
            let sender = arrow.sent.checked_sub(1).map(|row| &scene.frames[row].after);
            others += usize::from(sender.is_some_and(|at| at.nodes[arrow.src].term != arrow.term));
        }
    }
    assert!(others > 0);
}

/// A message that is sent again while an equal one is on its way is drawn again, also on a network
/// that holds the two as one.
#[test]
fn an_equal_message_is_drawn_where_it_is_sent_again() {
    let mut again = 0;
    for (title, scene, caption) in scenes().iter().filter(|(_, scene, _)| scene.redelivers) {
        let diagram = Diagram::new(scene, caption.clone());
        for (i, frame) in scene.frames.iter().enumerate() {
            for Sent { src, text, to } in &frame.sent_in_vain {
                let is_same = |arrow: &&Arrow| {
                    (arrow.src, &arrow.text) == (*src, text) && to.contains(&arrow.dst)
                };
                let rows = diagram.arrows.iter().filter(is_same).map(|arrow| arrow.sent);
                assert!(rows.clone().any(|row| row == i + 1), "{title}: {}", frame.name);
                again += usize::from(rows.clone().any(|row| row <= i));
            }
        }
    }
    assert!(again > 0);
}

/// A bar ends with the step in which the node ceases to lead, also if that is the last one.
#[test]
fn a_bar_ends_where_the_reign_ends() {
    let mut in_last = 0;
    for (title, scene, caption) in scenes() {
        let diagram = Diagram::new(scene, caption.clone());
        let layout = Layout::new(&diagram);
        for (i, frame) in scene.frames.iter().enumerate() {
            for change in frame.changes.iter().filter(|c| c.reign == Some(Reign::Ends)) {
                let is_bar = |s: &&Stretch| {
                    let leads = matches!(s.condition, Condition::Leads(_));
                    leads && s.lane == change.node && s.to == i + 1
                };
                let bar = diagram.stretches.iter().position(|s| is_bar(&s)).expect("it led before");
                let (_, bottom) = layout.bars[bar];
                assert_eq!(bottom, layout.rows[i + 1], "{title}: {}", frame.name);
                in_last += usize::from(i + 1 == diagram.last());
            }
        }
    }
    assert!(in_last > 0);
}

#[test]
fn a_legend_explains_what_occurs_and_nothing_else() {
    let kinds = [
        ("a timeout", vec![StepKind::Timeout]),
        ("the node receives a message", vec![StepKind::Deliver]),
        ("the node is given an input", vec![StepKind::Choose]),
        ("the node crashes", vec![StepKind::Crash, StepKind::Torn]),
        ("time passes", vec![StepKind::Tick]),
    ];
    let mut seen = [[0; 2]; 6];
    for (title, scene, caption) in scenes() {
        let diagram = Diagram::new(scene, caption.clone());
        let drawn = draw(&diagram, Theme::Auto);
        // Among the texts, and not in the description, a sentence begins with a line of its own.
        let says = |words: &str| drawn.lines().any(|line| line.trim() == words);
        for (i, (words, kinds)) in kinds.iter().enumerate() {
            let occurs = scene.frames.iter().any(|frame| kinds.contains(&frame.kind));
            assert_eq!(says(words), occurs, "{title}: {words}");
            seen[i][usize::from(occurs)] += 1;
        }
        let is_lost = |arrow: &Arrow| matches!(arrow.end, End::Lost(_));
        let is_any_lost = diagram.arrows.iter().any(is_lost);
        assert_eq!(says("the message is lost"), is_any_lost, "{title}");
        seen[5][usize::from(is_any_lost)] += 1;
        assert_eq!(says("before checking begins"), diagram.checked_from.is_some(), "{title}");
        assert_eq!(says("the step that violates the property"), diagram.last() > 0, "{title}");
        let colours = diagram.terms.iter().filter(|(t, _)| diagram.colour(Some(*t)).is_some());
        colours.for_each(|(_, name)| assert!(says(name), "{title}: {name}"));
    }
    assert!(seen[2..].iter().flatten().all(|n| *n > 0), "{seen:?}");
}

/// How often each element begins and ends.
fn tags(svg: &str) -> usize {
    let mut open = Vec::new();
    let mut count = 0;
    for event in svg::read(svg).expect("it is SVG") {
        match event {
            svg::parser::Event::Tag(name, svg::node::element::tag::Type::Start, _) => {
                open.push(name);
                count += 1;
            }
            svg::parser::Event::Tag(name, svg::node::element::tag::Type::End, _) => {
                assert_eq!(open.pop(), Some(name));
            }
            svg::parser::Event::Tag(..) => count += 1,
            svg::parser::Event::Error(e) => panic!("{e}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    count
}

#[test]
fn what_stands_in_a_run_is_text_in_its_picture_whatever_it_says() {
    let (_, mut scene, mut caption) = scenes()[0].clone();
    let plain = draw(&Diagram::new(&scene, caption.clone()), Theme::Auto);
    assert_eq!(plain, draw(&Diagram::new(&scene, caption.clone()), Theme::Auto));
    let hostile = "<script>alert(\"x\")</script>&lt;]]>\u{202e}\u{1b}[31m";
    let before = tags(&plain);
    (caption.title, caption.shows) = (hostile.to_string(), hostile.to_string());
    for frame in &mut scene.frames {
        frame.name = hostile.to_string();
        if let Some(message) = &mut frame.message {
            message.text = hostile.to_string();
        }
        let sent = frame.sent.iter_mut().chain(&mut frame.sent_in_vain);
        sent.for_each(|sent| sent.text = hostile.to_string());
    }
    scene.sent_at_start.iter_mut().for_each(|sent| sent.text = hostile.to_string());
    let drawn = draw(&Diagram::new(&scene, caption), Theme::Auto);
    assert!(drawn.contains("&lt;script&gt;alert"));
    assert!(!drawn.contains("<script") && !drawn.contains(['\u{202e}', '\u{1b}']));
    // Messages that are alike now may be drawn as one, so there may be fewer elements, not more.
    assert!(tags(&drawn) <= before, "{} {before}", tags(&drawn));
}

#[test]
fn a_theme_is_that_of_the_reader_or_the_one_that_was_asked_for() {
    let (_, scene, caption) = &scenes()[0];
    let diagram = Diagram::new(scene, caption.clone());
    let [auto, light, dark] =
        [Theme::Auto, Theme::Light, Theme::Dark].map(|theme| draw(&diagram, theme));
    assert!(auto.contains("prefers-color-scheme: dark"));
    assert!(!light.contains("prefers-color-scheme") && !dark.contains("prefers-color-scheme"));
    assert!(light.contains("--paper:#ffffff") && !dark.contains("--paper:#ffffff"));
}
