//! `oneleader replay --step` on a terminal: a walk through a run by keys.

mod screen;
mod walk;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use anstyle::Style;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, queue, style, terminal};

use crate::cli::pictures;
use crate::cli::shown::Shown;
use crate::reference::erased::Erased;
use crate::semantics::PropertyId;
pub use screen::View;
pub use walk::Walk;

/// Whether somebody sits at a terminal.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Walks through a run until the reader has seen enough.
///
/// # Errors
/// The terminal.
pub(crate) fn walk(
    system: Arc<dyn Shown>,
    title: String,
    property: Option<(PropertyId, String)>,
    steps: Vec<Erased>,
) -> io::Result<()> {
    let mut reader = Reader {
        walk: Walk::new(system, title, property, steps),
        shows_state: false,
        typed: String::new(),
    };
    let _screen = Screen::open()?;
    loop {
        reader.draw()?;
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && !reader.press(key)
        {
            return Ok(());
        }
    }
}

/// The screen of the walk; when it ends, however it does, the terminal is as it was.
struct Screen;

impl Screen {
    fn open() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        let begin = (terminal::EnterAlternateScreen, terminal::DisableLineWrap, cursor::Hide);
        execute!(io::stdout(), begin.0, begin.1, begin.2)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let end = (cursor::Show, terminal::EnableLineWrap, terminal::LeaveAlternateScreen);
        let _ = execute!(io::stdout(), end.0, end.1, end.2);
        let _ = terminal::disable_raw_mode();
    }
}

struct Reader {
    walk: Walk,
    shows_state: bool,
    /// The number that is being typed.
    typed: String,
}

impl Reader {
    /// What a key does; returns whether the walk goes on.
    fn press(&mut self, key: KeyEvent) -> bool {
        let walk = &mut self.walk;
        let typed = std::mem::take(&mut self.typed);
        match key.code {
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return false;
            }
            KeyCode::Char(digit) if digit.is_ascii_digit() && typed.len() < 6 => {
                self.typed = format!("{typed}{digit}");
            }
            KeyCode::Enter if !typed.is_empty() => walk.go(typed.parse().unwrap_or(usize::MAX)),
            KeyCode::Char('q') => return false,
            KeyCode::Right | KeyCode::Char('n' | 'l' | ' ') => walk.go(walk.at() + 1),
            KeyCode::Left | KeyCode::Char('b' | 'h') => walk.go(walk.at().saturating_sub(1)),
            KeyCode::Up | KeyCode::Char('k') => walk.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => walk.choose(1),
            KeyCode::Home => walk.go(0),
            KeyCode::End => walk.go(usize::MAX),
            KeyCode::Enter => walk.take(),
            KeyCode::Char('s') => self.shows_state = !self.shows_state,
            KeyCode::Char('r') => walk.follow_recorded(),
            _ => {}
        }
        true
    }

    fn draw(&self) -> io::Result<()> {
        let (width, height) = terminal::size()?;
        let strong = |text: &str| match pictures::has_colours() {
            true => format!("{bold}{text}{bold:#}", bold = Style::new().bold()),
            false => text.to_string(),
        };
        let view = View {
            walk: &self.walk,
            shows_state: self.shows_state,
            typed: &self.typed,
            paint: &pictures::paint,
            strong: &strong,
        };
        let mut out = io::stdout().lock();
        for (line, text) in (0..).zip(view.lines(usize::from(width), usize::from(height))) {
            let clear = terminal::Clear(terminal::ClearType::CurrentLine);
            queue!(out, cursor::MoveTo(0, line), clear, style::Print(text))?;
        }
        out.flush()
    }
}
