//! Operators over statements: what is left out, and a save after a send.

use syn::visit::Visit;
use syn::{Block, Expr, Pat, Stmt};

use super::Mutator;
use super::facts::{Calls, Effects};

pub const NO_SAVE: &str = "save left out";
pub const NO_SEND: &str = "send left out";
pub const NO_TIMER: &str = "timer left out";
pub const NO_ASSIGNMENT: &str = "assignment left out";
pub const NO_CALL: &str = "call left out";
pub const LATE_SAVE: &str = "save after send";

impl Mutator<'_> {
    /// `is_unit`: nothing comes of it.
    pub(super) fn block(&mut self, block: &Block, is_unit: bool) {
        self.reorder(block, is_unit);
        let last = block.stmts.len().wrapping_sub(1);
        for (i, stmt) in block.stmts.iter().enumerate() {
            match stmt {
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expr, None) if i == last => self.tail(expr, is_unit),
                Stmt::Expr(expr, semicolon) => {
                    let range = self.range(stmt);
                    self.leave_out(expr, range);
                    self.inner(expr, semicolon.is_none());
                }
                Stmt::Item(_) | Stmt::Macro(_) => {}
            }
        }
    }

    fn local(&mut self, local: &syn::Local) {
        let Some(init) = &local.init else { return };
        self.visit_expr(&init.expr);
        if let Some((_, diverge)) = &init.diverge {
            match &**diverge {
                Expr::Block(block) => self.block(&block.block, false),
                other => self.visit_expr(other),
            }
        }
        let mut names = Names::default();
        names.visit_pat(&local.pat);
        let is_planted = self.is_planted(&init.expr);
        if is_planted {
            self.aliases.append(&mut names.0);
        } else if matches!(local.pat, Pat::Ident(_)) {
            self.locals.append(&mut names.0);
        }
    }

    /// What a block, a function or an arm ends with.
    pub(super) fn tail(&mut self, expr: &Expr, is_unit: bool) {
        if is_unit {
            self.leave_out(expr, self.range(expr));
        }
        self.inner(expr, is_unit);
    }

    fn inner(&mut self, expr: &Expr, is_unit: bool) {
        match expr {
            Expr::If(branch) => self.branch(branch, is_unit),
            Expr::Match(choice) => self.choice(choice, is_unit),
            Expr::Block(block) => self.block(&block.block, is_unit),
            other => self.visit_expr(other),
        }
    }

    pub(super) fn branch(&mut self, branch: &syn::ExprIf, is_unit: bool) {
        self.condition(&branch.cond);
        if !self.is_planted(&branch.cond) {
            self.block(&branch.then_branch, is_unit);
        }
        if let Some((_, otherwise)) = &branch.else_branch
            && !self.is_unplanted(&branch.cond)
        {
            self.inner(otherwise, is_unit);
        }
    }

    pub(super) fn choice(&mut self, choice: &syn::ExprMatch, is_unit: bool) {
        self.visit_expr(&choice.expr);
        for arm in &choice.arms {
            let (pat, guard) = match &arm.pat {
                Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
                pat => (pat, None),
            };
            if self.pattern_mentions_bug(pat) || guard.is_some_and(|guard| self.is_planted(guard)) {
                continue;
            }
            if let Some(guard) = guard {
                self.condition(guard);
            }
            self.tail(&arm.body, is_unit);
        }
    }

    /// The statement, with its semicolon if it has one, may not be there.
    fn leave_out(&mut self, expr: &Expr, range: std::ops::Range<usize>) {
        let operator = match expr {
            Expr::Assign(_) => NO_ASSIGNMENT,
            Expr::Binary(b) if is_assignment(&b.op) => NO_ASSIGNMENT,
            Expr::Call(_) | Expr::MethodCall(_) => match self.effects(expr) {
                Effects { sends: true, .. } => NO_SEND,
                Effects { saves: true, .. } => NO_SAVE,
                Effects { timers: true, .. } => NO_TIMER,
                _ => NO_CALL,
            },
            _ => return,
        };
        if self.mentions_bug(expr) {
            return;
        }
        let number = self.note(expr, operator, self.text(expr), "");
        self.splices.wrap(range, format!("if !crate::switch::on({number}) {{ "), " }".to_string());
    }

    /// What a piece of code does to the world, by its own commands or through others.
    fn effects(&self, expr: &Expr) -> Effects {
        let calls = Calls::of_expr(expr);
        calls.called.iter().fold(calls.effects, |sum, name| sum.or(self.facts.effects(name)))
    }

    /// A save may come after the next send, and a send after the next save. Only the commands
    /// change places: what the state becomes does not.
    fn reorder(&mut self, block: &Block, is_unit: bool) {
        let Some(out) = self.out.clone() else { return };
        let last = block.stmts.len().wrapping_sub(1);
        let done: Vec<Effects> = block.stmts.iter().map(|stmt| self.effects_of(stmt)).collect();
        for (i, first) in done.iter().enumerate() {
            let is_first = |a: &Effects, b: &Effects| a.saves && !a.sends && b.sends;
            let is_last = |a: &Effects, b: &Effects| a.sends && !a.saves && b.saves && !b.sends;
            let mut later = (i + 1..done.len())
                .filter(|&j| is_first(first, &done[j]) || is_last(first, &done[j]));
            let Some(j) = later.next() else { continue };
            let needs_semicolon = match &block.stmts[j] {
                Stmt::Expr(Expr::Return(_), _) => continue,
                Stmt::Expr(_, None) if j == last && !is_unit => continue,
                Stmt::Expr(_, None) => true,
                _ => false,
            };
            let (save, send) = (&block.stmts[i], &block.stmts[j]);
            let original = format!("{} .. {}", self.text(save), self.text(send));
            let mutated = format!("{} .. {}", self.text(send), self.text(save));
            let number = self.note(save, LATE_SAVE, &original, &mutated);
            let (before, after, end) =
                (self.range(save).start, self.range(save).end, self.range(send).end);
            self.splices.insert(before, format!("let __before_{number} = {out}.len(); "));
            self.splices.insert(after, format!(" let __after_{number} = {out}.len();"));
            let semicolon = if needs_semicolon { ";" } else { "" };
            self.splices.insert(
                end,
                format!(
                    "{semicolon} crate::switch::swap({number}, {out}, __before_{number}, __after_{number});"
                ),
            );
        }
    }

    fn effects_of(&self, stmt: &Stmt) -> Effects {
        match stmt {
            Stmt::Expr(Expr::If(branch), _)
                if self.is_planted(&branch.cond) || returns(&branch.then_branch) =>
            {
                Effects::default()
            }
            Stmt::Expr(Expr::Return(_), _) => Effects::default(),
            Stmt::Expr(expr, _) => self.effects(expr),
            _ => Effects::default(),
        }
    }
}

/// The names that a pattern binds.
#[derive(Default)]
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, ident: &'ast syn::PatIdent) {
        self.0.push(ident.ident.to_string());
    }
}

/// Whether nothing comes after it.
fn returns(block: &Block) -> bool {
    matches!(block.stmts.last(), Some(Stmt::Expr(Expr::Return(_), _)))
}

fn is_assignment(op: &syn::BinOp) -> bool {
    use syn::BinOp::*;
    matches!(op, AddAssign(_) | SubAssign(_) | MulAssign(_) | DivAssign(_) | RemAssign(_))
}
