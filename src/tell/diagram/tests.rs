//! What must be true of every diagram, tried on the counterexamples of the corpora.

use std::sync::OnceLock;

use super::courses::End;
use super::plan::Plan;
use super::svg::{Theme, draw};
use super::text::Bounds;
use super::{Caption, Diagram, terminal};
use crate::exploration::verdict::Verdict;
use crate::judge::{self, Chosen, Request};
use crate::models::{self, Shipped};
use crate::scenario::{Scenario, Size, corpus};
use crate::semantics::StepKind;
use crate::tell::flight::Flight;
use crate::tell::scene::Scene;

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
        let sent = of_row(arrow.sent).map_or(&scene.sent_at_start, |frame| &frame.sent);
        let is_it = |sent: &crate::tell::flight::Sent| {
            sent.src == arrow.src && sent.text == arrow.text && sent.to.contains(&arrow.dst)
        };
        assert!(sent.iter().any(is_it), "{title}: {arrow:?} was not sent there");
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
    let plan = Plan::new(diagram);
    for (i, text) in plan.texts.iter().enumerate() {
        let (left, top, right, bottom) = text.bounds();
        let is_inside = left >= 0.0 && top >= 0.0 && right <= plan.width && bottom <= plan.height;
        assert!(is_inside, "{title}: {text:?} is outside of {} by {}", plan.width, plan.height);
        for other in &plan.texts[i + 1..] {
            let is_apart = !overlap(text.bounds(), other.bounds());
            assert!(is_apart, "{title}: {text:?} overlaps with {other:?}");
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
        frame.sent.iter_mut().for_each(|sent| sent.text = hostile.to_string());
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
