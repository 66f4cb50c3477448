//! Operators over what is computed and handed on: literals, indices, calls, fields, loops,
//! patterns.

use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Expr, Lit, Member, Pat, RangeLimits, Token};

use super::Mutator;
use super::expressions::{EARLY, EXTREME, FIELD, INDEX, LITERAL, PATTERN, RESULT};

/// Methods that stand for each other: what is asked, and of how many.
const OPPOSITES: [(&str, &str); 7] = [
    ("min", "max"),
    ("min_by_key", "max_by_key"),
    ("any", "all"),
    ("is_some", "is_none"),
    ("is_some_and", "is_none_or"),
    ("first_key_value", "last_key_value"),
    ("saturating_sub", "saturating_add"),
];

fn opposite(name: &str) -> Option<&'static str> {
    let found = OPPOSITES.iter().find(|(a, b)| *a == name || *b == name)?;
    Some(if found.0 == name { found.1 } else { found.0 })
}

impl Mutator<'_> {
    pub(super) fn literal(&mut self, lit: &syn::ExprLit) {
        match &lit.lit {
            Lit::Int(int) => {
                let Ok(n) = int.base10_parse::<u64>() else { return };
                let suffix = int.suffix();
                self.replace(lit, LITERAL, &format!("{}{suffix}", n + 1));
                if n > 0 {
                    self.replace(lit, LITERAL, &format!("{}{suffix}", n - 1));
                }
            }
            Lit::Bool(b) => self.replace(lit, LITERAL, if b.value { "false" } else { "true" }),
            _ => {}
        }
    }

    pub(super) fn method_call(&mut self, expr: &Expr, call: &syn::ExprMethodCall) {
        let name = call.method.to_string();
        if !self.mentions_bug(expr) {
            if let Some(other) = opposite(&name)
                && !self.facts.declares(&name)
            {
                let range = self.range(expr);
                let method = call.method.span().byte_range();
                let text = &self.source.text;
                let mutated = format!(
                    "{}{other}{}",
                    &text[range.start..method.start],
                    &text[method.end..range.end]
                );
                self.replace(expr, EXTREME, &mutated);
            }
            match (name.as_str(), call.args.len()) {
                ("unwrap_or_default", 0) => self.replace(expr, FIELD, "Default::default()"),
                ("unwrap_or" | "map_or", _) => self.replace(expr, FIELD, self.text(&call.args[0])),
                _ if self.facts.result(&name).container => {
                    self.replace(expr, RESULT, "Default::default()")
                }
                _ => {}
            }
        }
        if matches!((name.as_str(), call.args.len()), ("for_each", 1) | ("collect" | "count", 0)) {
            self.ends_early(&call.receiver);
        }
        self.visit_expr(&call.receiver);
        let is_each = name == "for_each";
        for (i, argument) in call.args.iter().enumerate() {
            let is_index = name == "truncate" && call.args.len() == 1;
            if is_index || self.facts.parameter(&name, i).integer {
                self.off_by_one(argument, INDEX);
            }
            match argument {
                Expr::Closure(closure) if is_each => self.tail(&closure.body, true),
                Expr::Range(_) if name == "get" => self.index(argument),
                _ => self.visit_expr(argument),
            }
        }
    }

    pub(super) fn call(&mut self, expr: &Expr, call: &syn::ExprCall) {
        let name = match &*call.func {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let name = name.unwrap_or_default();
        if self.facts.result(&name).container && !self.mentions_bug(expr) {
            self.replace(expr, RESULT, "Default::default()");
        }
        for (i, argument) in call.args.iter().enumerate() {
            if self.facts.parameter(&name, i).integer {
                self.off_by_one(argument, INDEX);
            }
            self.visit_expr(argument);
        }
    }

    /// The fields of a message, a state, a place in a log.
    pub(super) fn structure(&mut self, of: &syn::ExprStruct) {
        let name = of.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        for field in &of.fields {
            let Member::Named(member) = &field.member else { continue };
            let kind = self.facts.member(&name, &member.to_string());
            let is_shorthand = field.colon_token.is_none();
            if self.mentions_bug(&field.expr) || member == "bug" {
                continue;
            }
            let value = self.text(&field.expr).to_string();
            let mut mutations = Vec::new();
            if kind.integer && is_number(&field.expr) {
                mutations.push((INDEX, format!("{value} + 1")));
                mutations.push((INDEX, format!("({value}).saturating_sub(1)")));
            }
            if kind.default && !kind.boolean && !is_empty(&value) {
                mutations.push((FIELD, "Default::default()".to_string()));
            }
            for (operator, mutated) in mutations {
                if is_shorthand {
                    let number =
                        self.note(field, operator, &value, &format!("{member}: {mutated}"));
                    // The first schema brings the name of the field.
                    let (before, after) = super::schema(number, &mutated);
                    self.splices.wrap(self.range(field), before, after);
                } else {
                    self.replace(&field.expr, operator, &mutated);
                }
            }
            if is_shorthand {
                // Before all schemata of it.
                let at = self.range(field).start;
                self.splices.insert(at, format!("{member}: "));
            } else {
                self.visit_expr(&field.expr);
            }
        }
        if let Some(rest) = &of.rest {
            self.visit_expr(rest);
        }
    }

    /// The new value of a field.
    pub(super) fn assigned(&mut self, assign: &syn::ExprAssign) {
        let Expr::Field(field) = &*assign.left else { return };
        let Member::Named(name) = &field.member else { return };
        if self.mentions_bug(&assign.right) {
            return;
        }
        let kind = self.facts.field(&name.to_string());
        if kind.integer {
            self.off_by_one(&assign.right, INDEX);
        }
        if kind.default && !kind.boolean && !is_empty(self.text(&*assign.right)) {
            self.replace(&*assign.right, FIELD, "Default::default()");
        }
    }

    pub(super) fn off_by_one(&mut self, expr: &Expr, operator: &'static str) {
        if !is_number(expr) || self.mentions_bug(expr) {
            return;
        }
        let value = self.text(expr).to_string();
        self.replace(expr, operator, &format!("{value} + 1"));
        self.replace(expr, operator, &format!("({value}).saturating_sub(1)"));
    }

    /// The place where a slice begins or ends.
    pub(super) fn index(&mut self, expr: &Expr) {
        match expr {
            Expr::Range(range) if matches!(range.limits, RangeLimits::HalfOpen(_)) => {
                for end in [&range.start, &range.end].into_iter().flatten() {
                    self.off_by_one(end, INDEX);
                    self.visit_expr(end);
                }
            }
            _ => self.visit_expr(expr),
        }
    }

    pub(super) fn ends_early(&mut self, iterator: &Expr) {
        if self.mentions_bug(iterator) || matches!(iterator, Expr::Range(_)) {
            return;
        }
        let text = self.text(iterator);
        let number = self.note(iterator, EARLY, text, &format!("{text}, without the last"));
        self.splices.wrap(
            self.range(iterator),
            format!("crate::switch::without_last({number}, "),
            ")".to_string(),
        );
    }

    pub(super) fn macro_call(&mut self, expr: &Expr, mac: &syn::Macro) {
        if self.mentions_bug(expr) {
            return;
        }
        if mac.path.is_ident("vec") {
            let Ok(all) = mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
            else {
                return;
            };
            if !all.is_empty() {
                self.replace(expr, RESULT, "Vec::new()");
            }
            all.iter().for_each(|expr| self.visit_expr(expr));
        } else if mac.path.is_ident("matches") {
            let Ok(Matches { value, patterns, guard }) = mac.parse_body() else { return };
            if let Pat::Or(or) = &patterns {
                for left_out in 0..or.cases.len() {
                    let kept = or.cases.iter().enumerate().filter(|(i, _)| *i != left_out);
                    let kept: Vec<&str> = kept.map(|(_, pat)| self.text(pat)).collect();
                    let guard =
                        guard.as_ref().map(|g| format!(" if {}", self.text(g))).unwrap_or_default();
                    let mutated =
                        format!("matches!({}, {}{guard})", self.text(&value), kept.join(" | "));
                    self.replace(expr, PATTERN, &mutated);
                }
            }
            if let Some(guard) = &guard {
                self.condition(guard);
            }
        }
    }
}

/// What is between the parentheses of `matches!`.
struct Matches {
    value: Expr,
    patterns: Pat,
    guard: Option<Expr>,
}

impl syn::parse::Parse for Matches {
    fn parse(input: syn::parse::ParseStream) -> syn::Result<Self> {
        let value = input.parse()?;
        input.parse::<Token![,]>()?;
        let patterns = Pat::parse_multi_with_leading_vert(input)?;
        let guard = if input.peek(Token![if]) {
            input.parse::<Token![if]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        input.parse::<Option<Token![,]>>()?;
        Ok(Matches { value, patterns, guard })
    }
}

/// Whether a number can be added to it as it is written: no literal (another operator's), nothing
/// whose type depends on where it stands.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Paren(_) | Expr::Unary(_) => true,
        Expr::MethodCall(call) => call.method != "into",
        Expr::Call(call) => !matches!(&*call.func, Expr::Closure(_)),
        _ => false,
    }
}

/// Whether it is what `Default` gives.
fn is_empty(text: &str) -> bool {
    let texts = ["0", "None", "Vec::new()", "Log::new()", "BTreeMap::new()", "BTreeSet::new()"];
    texts.contains(&text) || text.ends_with("::default()")
}
