//! Which code belongs to planted bugs. No mutant is run with a bug planted, so that code is dead,
//! and is left alone.

use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Pat, UnOp};

use super::Mutator;

struct Mentions<'a> {
    aliases: &'a [String],
    found: bool,
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        let alias = self.aliases.iter().any(|alias| ident == alias);
        self.found |= alias || ident == "bug" || ident == "Bug";
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let mut words = mac.tokens.to_string();
        words.retain(|c| c.is_alphanumeric() || c == '_' || c == ' ');
        self.found |= words.split_whitespace().any(|word| word == "bug" || word == "Bug");
        visit::visit_macro(self, mac);
    }
}

impl Mutator<'_> {
    /// Whether an expression says anything about planted bugs.
    pub(super) fn mentions_bug(&self, expr: &Expr) -> bool {
        let mut mentions = Mentions { aliases: &self.aliases, found: false };
        mentions.visit_expr(expr);
        mentions.found
    }

    pub(super) fn pattern_mentions_bug(&self, pat: &Pat) -> bool {
        let mut mentions = Mentions { aliases: &[], found: false };
        mentions.visit_pat(pat);
        mentions.found
    }

    /// Whether a condition is only met with a bug planted.
    pub(super) fn is_planted(&self, condition: &Expr) -> bool {
        match condition {
            Expr::Paren(paren) => self.is_planted(&paren.expr),
            Expr::Binary(b) => match b.op {
                BinOp::And(_) => self.is_planted(&b.left) || self.is_planted(&b.right),
                BinOp::Or(_) => self.is_planted(&b.left) && self.is_planted(&b.right),
                BinOp::Ne(_) => false,
                _ => self.mentions_bug(condition),
            },
            Expr::Unary(u) if matches!(u.op, UnOp::Not(_)) => false,
            Expr::Let(_) => false,
            _ => self.mentions_bug(condition),
        }
    }

    /// Whether a condition is met whenever no bug is planted.
    pub(super) fn is_unplanted(&self, condition: &Expr) -> bool {
        match condition {
            Expr::Paren(paren) => self.is_unplanted(&paren.expr),
            Expr::Binary(b) => match b.op {
                BinOp::And(_) => self.is_unplanted(&b.left) && self.is_unplanted(&b.right),
                BinOp::Ne(_) => self.mentions_bug(condition),
                _ => false,
            },
            Expr::Unary(u) if matches!(u.op, UnOp::Not(_)) => self.is_planted(&u.expr),
            _ => false,
        }
    }
}
