//! Operators over expressions: guards, comparisons, counts, indices, literals, fields.

use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, Member, Pat, UnOp};

use super::Mutator;

pub const TRUE: &str = "condition true";
pub const FALSE: &str = "condition false";
pub const NEGATED: &str = "negated";
pub const CONJUNCT: &str = "conjunct dropped";
pub const DISJUNCT: &str = "disjunct dropped";
pub const COMPARISON: &str = "comparison";
pub const COUNT: &str = "quorum";
pub const INDEX: &str = "index";
pub const LITERAL: &str = "literal";
pub const OPERAND: &str = "operand dropped";
pub const FIELD: &str = "field reset";
pub const RESULT: &str = "result left out";
pub const EXTREME: &str = "extreme";
pub const EARLY: &str = "loop ends early";
pub const PATTERN: &str = "pattern dropped";

impl<'ast> Visit<'ast> for Mutator<'_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Binary(b) if is_logical(&b.op) || comparison(&b.op).is_some() => {
                self.condition(expr)
            }
            Expr::Binary(b) => self.arithmetic(expr, b),
            Expr::Lit(lit) => self.literal(lit),
            Expr::MethodCall(call) => self.method_call(expr, call),
            Expr::Call(call) => self.call(expr, call),
            Expr::Struct(of) => self.structure(of),
            Expr::If(branch) => self.branch(branch, false),
            Expr::Match(choice) => self.choice(choice, false),
            Expr::While(w) => {
                self.condition(&w.cond);
                self.block(&w.body, true);
            }
            Expr::ForLoop(f) => {
                self.ends_early(&f.expr);
                self.visit_expr(&f.expr);
                self.block(&f.body, true);
            }
            Expr::Block(block) => self.block(&block.block, false),
            Expr::Closure(closure) => self.closure(closure),
            Expr::Return(r) => {
                if let Some(value) = &r.expr {
                    self.tail(value, self.is_unit);
                }
            }
            Expr::Assign(a) => {
                self.assigned(a);
                self.visit_expr(&a.right);
            }
            Expr::Index(index) => {
                self.visit_expr(&index.expr);
                self.index(&index.index);
            }
            // A constant's length, or an array's.
            Expr::Repeat(repeat) => self.visit_expr(&repeat.expr),
            Expr::Macro(mac) => self.macro_call(expr, &mac.mac),
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.block(block, false);
    }

    // Patterns, types and items of a function stay as they are.
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
}

impl Mutator<'_> {
    /// Whatever decides something.
    pub(super) fn condition(&mut self, expr: &Expr) {
        if self.is_planted(expr) {
            return; // Whatever else it says, without the bug it is not met.
        }
        match expr {
            Expr::Paren(paren) => self.condition(&paren.expr),
            Expr::Let(l) => self.visit_expr(&l.expr),
            Expr::Binary(b) if is_logical(&b.op) => {
                let is_and = matches!(b.op, BinOp::And(_));
                let is_whole = !self.mentions_bug(expr) && !has_let(expr);
                if is_whole {
                    self.replace(expr, TRUE, "true");
                    self.replace(expr, FALSE, "false");
                }
                for operand in [&*b.left, &*b.right] {
                    self.operand(operand, is_and, is_whole);
                }
            }
            _ if self.mentions_bug(expr) => {}
            _ => {
                self.replace(expr, TRUE, "true");
                self.replace(expr, FALSE, "false");
                self.atom(expr);
            }
        }
    }

    /// One side of `&&` or `||`. Where the whole cannot be decided either way, for it has a `let`
    /// or speaks of a bug, the sides are.
    fn operand(&mut self, operand: &Expr, is_and: bool, is_whole: bool) {
        let is_nested = matches!(operand, Expr::Binary(b) if is_logical(&b.op)
            && matches!(b.op, BinOp::And(_)) == is_and);
        if is_nested {
            let Expr::Binary(b) = operand else { unreachable!("seen above") };
            self.operand(&b.left, is_and, is_whole);
            return self.operand(&b.right, is_and, is_whole);
        }
        if matches!(operand, Expr::Let(_)) || self.mentions_bug(operand) {
            return self.condition(operand);
        }
        let (operator, neutral, decisive) =
            if is_and { (CONJUNCT, "true", "false") } else { (DISJUNCT, "false", "true") };
        self.replace(operand, operator, neutral);
        if !is_whole {
            self.replace(operand, if is_and { FALSE } else { TRUE }, decisive);
        }
        match operand {
            Expr::Paren(paren) => self.condition_below(&paren.expr),
            Expr::Binary(b) if is_logical(&b.op) => self.condition_below(operand),
            _ => self.atom(operand),
        }
    }

    /// A condition that is dropped as a whole by another operator already.
    fn condition_below(&mut self, expr: &Expr) {
        match expr {
            Expr::Binary(b) if is_logical(&b.op) => {
                let is_and = matches!(b.op, BinOp::And(_));
                self.operand(&b.left, is_and, true);
                self.operand(&b.right, is_and, true);
            }
            _ => self.atom(expr),
        }
    }

    /// A condition without `&&` and `||`.
    fn atom(&mut self, expr: &Expr) {
        match expr {
            Expr::Binary(b) if comparison(&b.op).is_some() => self.comparison(expr, b),
            Expr::Unary(u) if matches!(u.op, UnOp::Not(_)) => {
                self.replace(expr, NEGATED, self.text(&*u.expr));
                self.visit_expr(&u.expr);
            }
            _ => {
                let negated = format!("!({})", self.text(expr));
                self.replace(expr, NEGATED, &negated);
                self.visit_expr(expr);
            }
        }
    }

    fn comparison(&mut self, expr: &Expr, b: &syn::ExprBinary) {
        let (left, right) = (self.text(&*b.left), self.text(&*b.right));
        let is_ordered = self.is_ordered(&b.left) || self.is_ordered(&b.right);
        // Nothing is less than zero.
        let has_zero = left == "0" || right == "0";
        for op in comparison(&b.op).unwrap_or_default() {
            if has_zero && !matches!(*op, "==" | "!=") {
                continue;
            }
            if is_ordered
                || matches!(*op, "==" | "!=")
                || !matches!(b.op, BinOp::Eq(_) | BinOp::Ne(_))
            {
                let operator = if matches!(*op, "==" | "!=") { NEGATED } else { COMPARISON };
                self.replace(expr, operator, &format!("{left} {op} {right}"));
            }
        }
        // What stands second is not looked at.
        if let (Expr::Tuple(a), Expr::Tuple(c)) = (&*b.left, &*b.right)
            && a.elems.len() == c.elems.len()
        {
            let op = self.text(&b.op);
            for (x, y) in a.elems.iter().zip(&c.elems) {
                self.replace(expr, COMPARISON, &format!("{} {op} {}", self.text(x), self.text(y)));
            }
        }
        if let Some((more, fewer)) = self.count(&b.left) {
            let op = self.text(&b.op);
            self.replace(expr, COUNT, &format!("{more} {op} {right}"));
            self.replace(expr, COUNT, &format!("{fewer} {op} {right}"));
        } else if let Some((more, fewer)) = self.count(&b.right) {
            let op = self.text(&b.op);
            self.replace(expr, COUNT, &format!("{left} {op} {more}"));
            self.replace(expr, COUNT, &format!("{left} {op} {fewer}"));
        }
        self.visit_expr(&b.left);
        self.visit_expr(&b.right);
    }

    /// A number of things, and that number made larger and smaller by one. Of `2 * n` it is `n`
    /// that is changed.
    fn count(&self, expr: &Expr) -> Option<(String, String)> {
        let changed = |of: &Expr| {
            let text = self.text(of);
            (format!("({text} + 1)"), format!("({text}).saturating_sub(1)"))
        };
        match expr {
            Expr::MethodCall(call) if call.method == "len" || call.method == "count" => {
                Some(changed(expr))
            }
            Expr::Binary(b) if matches!(b.op, BinOp::Mul(_)) => {
                let times = self.text(&*b.right);
                let counts = self.is_integer(&b.left) || self.is_counted(&b.left);
                let (more, fewer) = counts.then(|| changed(&b.left))?;
                Some((format!("{more} * {times}"), format!("{fewer} * {times}")))
            }
            _ => None,
        }
    }

    fn is_counted(&self, expr: &Expr) -> bool {
        match expr {
            Expr::MethodCall(call) => call.method == "len" || call.method == "count",
            // Nothing else than a number is multiplied by two and compared.
            Expr::Path(path) => {
                path.path.get_ident().is_some_and(|name| self.locals.iter().any(|l| name == l))
            }
            _ => false,
        }
    }

    fn arithmetic(&mut self, expr: &Expr, b: &syn::ExprBinary) {
        if self.mentions_bug(expr) {
            return;
        }
        let is_literal = matches!(&*b.right, Expr::Lit(_));
        if matches!(b.op, BinOp::Add(_) | BinOp::Sub(_)) && !is_literal {
            self.replace(expr, OPERAND, self.text(&*b.left));
        }
        self.visit_expr(&b.left);
        self.visit_expr(&b.right);
    }

    fn closure(&mut self, closure: &syn::ExprClosure) {
        let is_unit = std::mem::replace(&mut self.is_unit, false);
        self.visit_expr(&closure.body);
        self.is_unit = is_unit;
    }

    fn is_integer(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| {
                !self.locals.iter().any(|local| name == local)
                    && self.facts.name(&name.to_string()).integer
            }),
            _ => false,
        }
    }

    /// Whether `<` is known to be there.
    fn is_ordered(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Lit(lit) => matches!(lit.lit, Lit::Int(_)),
            Expr::Paren(inner) => self.is_ordered(&inner.expr),
            Expr::Reference(inner) => self.is_ordered(&inner.expr),
            Expr::Unary(inner) => {
                matches!(inner.op, UnOp::Deref(_)) && self.is_ordered(&inner.expr)
            }
            Expr::Binary(b) => matches!(b.op, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_)),
            Expr::Tuple(t) => t.elems.iter().all(|e| self.is_ordered(e)),
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| {
                let is_local = self.locals.iter().any(|local| name == local);
                !is_local && self.facts.name(&name.to_string()).ordered
            }),
            Expr::Field(field) => match &field.member {
                Member::Named(name) => self.facts.field(&name.to_string()).ordered,
                Member::Unnamed(_) => false,
            },
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                name == "len" || name == "count" || self.facts.result(&name).ordered
            }
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if path.path.is_ident("Some") => {
                    call.args.iter().all(|a| self.is_ordered(a))
                }
                _ => false,
            },
            _ => false,
        }
    }
}

fn is_logical(op: &BinOp) -> bool {
    matches!(op, BinOp::And(_) | BinOp::Or(_))
}

/// What a comparison is taken for.
fn comparison(op: &BinOp) -> Option<&'static [&'static str]> {
    Some(match op {
        BinOp::Lt(_) => &["<="],
        BinOp::Le(_) => &["<"],
        BinOp::Gt(_) => &[">="],
        BinOp::Ge(_) => &[">"],
        BinOp::Eq(_) => &["!=", ">=", "<="],
        BinOp::Ne(_) => &["==", ">", "<"],
        _ => return None,
    })
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(b) => has_let(&b.left) || has_let(&b.right),
        _ => false,
    }
}
