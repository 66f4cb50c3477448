//! Which functions are mutated: those that handlers reach, apart from what introduces, judges or
//! shows a protocol.

use syn::{Block, FnArg, ImplItem, Item, Pat, ReturnType, Signature};

use super::Mutator;
use super::facts::{self, HANDLERS};

/// Files that introduce a protocol, or say something about its runs; and folders of such files.
const NO_HANDLERS: [&str; 13] = [
    "about",
    "bugs",
    "catalogue",
    "dead",
    "goals",
    "healing",
    "history",
    "invariants",
    "properties",
    "renumbering",
    "rules",
    "tests",
    "witness",
];

impl Mutator<'_> {
    pub(super) fn file(&mut self, tree: &syn::File) {
        self.items(&tree.items);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(module) if module.attrs.iter().any(is_for_tests) => {
                    self.drop_test_module(module);
                }
                Item::Mod(module) => {
                    if let Some((_, items)) = &module.content {
                        self.items(items);
                    }
                }
                Item::Fn(function) => self.function(&function.sig, &function.block, None),
                Item::Impl(block) => self.implementation(block),
                _ => {}
            }
        }
    }

    /// Tests are of the original.
    fn drop_test_module(&mut self, module: &syn::ItemMod) {
        let range = self.range(module);
        self.splices.insert(range.start, "#[cfg(any())] ".to_string());
    }

    fn implementation(&mut self, block: &syn::ItemImpl) {
        let of = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
        let of = of.map(|last| last.ident.to_string());
        let own = match &*block.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let out =
            own.and_then(|own| self.facts.outs.get(&own)).map(|field| format!("self.{field}"));
        for item in &block.items {
            let ImplItem::Fn(function) = item else { continue };
            let name = function.sig.ident.to_string();
            let is_handler = match of.as_deref() {
                None => false,
                Some("Actor") => HANDLERS.contains(&name.as_str()),
                Some("Election") => name == "start",
                Some(_) => continue,
            };
            if of.is_none() || is_handler {
                self.function(&function.sig, &function.block, out.clone());
            }
            if is_handler {
                self.enter(&function.sig, &function.block);
            }
        }
    }

    fn function(&mut self, sig: &Signature, block: &Block, out: Option<String>) {
        let name = sig.ident.to_string();
        let mut parts = self.source.path.trim_end_matches(".rs").split('/');
        let has_no_handlers = parts.any(|part| NO_HANDLERS.contains(&part));
        if sig.constness.is_some() || has_no_handlers || !self.facts.is_reached(&name) {
            return;
        }
        self.function = name;
        self.is_unit = matches!(sig.output, ReturnType::Default);
        self.out = sig.inputs.iter().find_map(out_parameter).or(out);
        self.aliases.clear();
        self.locals.clear();
        self.block(block, self.is_unit);
    }

    /// What runs in a handler is mutated, and only that: the same helpers also serve those who
    /// judge.
    fn enter(&mut self, sig: &Signature, block: &Block) {
        let mut arguments = vec!["self".to_string()];
        for (i, input) in sig.inputs.iter().enumerate() {
            let FnArg::Typed(typed) = input else { continue };
            match &*typed.pat {
                Pat::Ident(ident) => arguments.push(ident.ident.to_string()),
                other => {
                    let name = format!("__argument_{i}");
                    let range = self.range(other);
                    assert!(
                        matches!(other, Pat::Wild(_)),
                        "{}: a handler's argument has no name",
                        sig.ident
                    );
                    self.splices.wrap(range, format!("{name} /* "), " */".to_string());
                    arguments.push(name);
                }
            }
        }
        arguments.pop();
        let by_value = sig.ident == "on_msg";
        if by_value && let Some(message) = arguments.last_mut() {
            *message = format!("&{message}");
        }
        let at = block.brace_token.span.open().byte_range().end;
        let (name, arguments) = (&sig.ident, arguments.join(", "));
        self.splices.insert(
            at,
            format!(
                " if crate::record::is_wanted() {{ crate::record::{name}({arguments}); }} \
                 let __running = crate::switch::begin(); "
            ),
        );
    }
}

fn is_for_tests(attr: &syn::Attribute) -> bool {
    attr.path().is_ident("cfg")
        && matches!(&attr.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
}

fn out_parameter(input: &FnArg) -> Option<String> {
    let FnArg::Typed(typed) = input else { return None };
    match &*typed.pat {
        Pat::Ident(ident) if facts::is_out(&typed.ty) => Some(ident.ident.to_string()),
        _ => None,
    }
}
