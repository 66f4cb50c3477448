//! What the declarations of a protocol say: types of fields, parameters and results, and which
//! function calls which.
//!
//! Everything goes by name. Where one name is declared more than once, only what is true of all of
//! them counts.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Expr, Fields, FnArg, GenericArgument, Item, Pat, PathArguments, ReturnType, Type};

/// What is known of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// One of Rust's unsigned integers, by value.
    pub integer: bool,
    /// `<` and `>=` are there.
    pub ordered: bool,
    /// `Default::default()` is there.
    pub default: bool,
    /// A vector or an option, by value: there may be nothing in it.
    pub container: bool,
    pub boolean: bool,
}

impl Kind {
    const NOTHING: Kind =
        Kind { integer: false, ordered: false, default: false, container: false, boolean: false };

    fn and(self, other: Kind) -> Kind {
        Kind {
            integer: self.integer && other.integer,
            ordered: self.ordered && other.ordered,
            default: self.default && other.default,
            container: self.container && other.container,
            boolean: self.boolean && other.boolean,
        }
    }
}

/// What a handler can do that others notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    pub saves: bool,
    pub sends: bool,
    pub timers: bool,
}

impl Effects {
    /// What the command of that name does to the world.
    pub fn of_command(name: &str) -> Effects {
        Effects {
            saves: name == "save",
            sends: name == "send",
            timers: matches!(name, "set_timer" | "cancel_timer"),
        }
    }

    pub fn or(self, other: Effects) -> Effects {
        Effects {
            saves: self.saves || other.saves,
            sends: self.sends || other.sends,
            timers: self.timers || other.timers,
        }
    }
}

/// The handlers, from which everything that can be mutated is called.
pub const HANDLERS: [&str; 5] = ["on_start", "start", "on_msg", "on_timeout", "on_random"];

#[derive(Default)]
pub struct Facts {
    aliases: BTreeMap<String, Type>,
    ordered: BTreeSet<String>,
    defaulted: BTreeSet<String>,
    /// By the name of a field.
    fields: BTreeMap<String, Kind>,
    /// By the last name of a struct or variant, and the name of its field.
    members: BTreeMap<(String, String), Kind>,
    /// Parameters of functions, and bindings of fields, by name.
    names: BTreeMap<String, Kind>,
    results: BTreeMap<String, Kind>,
    parameters: BTreeMap<String, Vec<Kind>>,
    /// Which functions a function mentions, and which of them it calls itself.
    mentions: BTreeMap<String, BTreeSet<String>>,
    calls: BTreeMap<String, BTreeSet<String>>,
    effects: BTreeMap<String, Effects>,
    reached: BTreeSet<String>,
    /// Types that carry the commands of a handler, and the name of the field.
    pub outs: BTreeMap<String, String>,
}

impl Facts {
    pub fn of(trees: &[syn::File]) -> Facts {
        // Types of the election contract, of stateright and of std.
        let known = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut facts = Facts {
            ordered: known(&["Term", "NodeSet", "Id", "String", "Duration"]),
            defaulted: known(&["Term", "NodeSet", "String", "BTreeMap", "BTreeSet", "Duration"]),
            ..Facts::default()
        };
        trees.iter().for_each(|tree| Types(&mut facts).visit_file(tree));
        trees.iter().for_each(|tree| Declarations { facts: &mut facts }.visit_file(tree));
        facts.close();
        facts
    }

    /// Follows calls: what has an effect through others, and what handlers reach.
    fn close(&mut self) {
        loop {
            let mut changed = false;
            for (name, calls) in &self.calls {
                let old = self.effects.get(name).copied().unwrap_or_default();
                let all = calls.iter().filter_map(|callee| self.effects.get(callee));
                let new = all.fold(old, |sum, effects| sum.or(*effects));
                changed |= new != old;
                self.effects.insert(name.clone(), new);
            }
            if !changed {
                break;
            }
        }
        let mut open: Vec<String> = HANDLERS.iter().map(ToString::to_string).collect();
        while let Some(name) = open.pop() {
            if self.reached.insert(name.clone()) {
                open.extend(self.mentions.get(&name).into_iter().flatten().cloned());
            }
        }
    }

    /// Whether handlers call a function of that name.
    pub fn is_reached(&self, function: &str) -> bool {
        self.reached.contains(function)
    }

    /// Of a function, or of a closure that is called like a command.
    pub fn effects(&self, function: &str) -> Effects {
        self.effects.get(function).copied().unwrap_or_else(|| Effects::of_command(function))
    }

    pub fn field(&self, name: &str) -> Kind {
        self.fields.get(name).copied().unwrap_or(Kind::NOTHING)
    }

    pub fn member(&self, of: &str, name: &str) -> Kind {
        let known = self.members.get(&(of.to_string(), name.to_string()));
        known.copied().unwrap_or(Kind::NOTHING)
    }

    pub fn name(&self, name: &str) -> Kind {
        self.names.get(name).copied().unwrap_or(Kind::NOTHING)
    }

    /// Whether the protocol has a function of that name.
    pub fn declares(&self, function: &str) -> bool {
        self.results.contains_key(function)
    }

    pub fn result(&self, function: &str) -> Kind {
        self.results.get(function).copied().unwrap_or(Kind::NOTHING)
    }

    /// The parameter at a place, `self` not counted.
    pub fn parameter(&self, function: &str, place: usize) -> Kind {
        let known = self.parameters.get(function).and_then(|all| all.get(place));
        known.copied().unwrap_or(Kind::NOTHING)
    }

    pub fn kind(&self, ty: &Type) -> Kind {
        match ty {
            Type::Reference(r) => Kind { ordered: self.kind(&r.elem).ordered, ..Kind::NOTHING },
            Type::Paren(p) => self.kind(&p.elem),
            Type::Tuple(t) => {
                let kinds = t.elems.iter().map(|ty| self.kind(ty));
                let all = kinds
                    .fold(None, |sum: Option<Kind>, kind| Some(sum.map_or(kind, |s| s.and(kind))));
                let all = all.unwrap_or(Kind::NOTHING);
                Kind { ordered: all.ordered, default: all.default, ..Kind::NOTHING }
            }
            Type::Path(path) if path.qself.is_none() => {
                let Some(last) = path.path.segments.last() else { return Kind::NOTHING };
                let name = last.ident.to_string();
                if let Some(alias) = self.aliases.get(&name) {
                    return self.kind(alias);
                }
                let mut inner = match &last.arguments {
                    PathArguments::AngleBracketed(all) => {
                        let types = all.args.iter().filter_map(|arg| match arg {
                            GenericArgument::Type(ty) => Some(self.kind(ty).ordered),
                            _ => None,
                        });
                        types.collect::<Vec<_>>()
                    }
                    _ => Vec::new(),
                }
                .into_iter();
                let integer = matches!(name.as_str(), "u8" | "u16" | "u32" | "u64" | "usize");
                let boolean = name == "bool";
                let container = matches!(name.as_str(), "Vec" | "Option");
                let holder = container || matches!(name.as_str(), "BTreeMap" | "BTreeSet");
                Kind {
                    integer,
                    ordered: integer
                        || boolean
                        || self.ordered.contains(&name)
                        || holder && inner.all(|o| o),
                    default: integer || boolean || container || self.defaulted.contains(&name),
                    container,
                    boolean,
                }
            }
            _ => Kind::NOTHING,
        }
    }
}

/// Adds what is known of a name to what is known of others of that name.
fn add(to: &mut BTreeMap<String, Kind>, name: &str, kind: Kind) {
    to.entry(name.to_string()).and_modify(|known| *known = known.and(kind)).or_insert(kind);
}

/// First: which types there are.
struct Types<'a>(&'a mut Facts);

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attrs) = match item {
            Item::Struct(s) => (&s.ident, &s.attrs),
            Item::Enum(e) => (&e.ident, &e.attrs),
            Item::Type(t) => {
                self.0.aliases.insert(t.ident.to_string(), (*t.ty).clone());
                return;
            }
            _ => return visit::visit_item(self, item),
        };
        for derive in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
            let _ = derive.parse_nested_meta(|meta| {
                if meta.path.is_ident("PartialOrd") {
                    self.0.ordered.insert(name.to_string());
                } else if meta.path.is_ident("Default") {
                    self.0.defaulted.insert(name.to_string());
                }
                Ok(())
            });
        }
    }
}

/// Then: what is made of them.
struct Declarations<'a> {
    facts: &'a mut Facts,
}

impl Declarations<'_> {
    fn fields(&mut self, of: &str, fields: &Fields) {
        for field in fields {
            let Some(name) = field.ident.as_ref().map(ToString::to_string) else { continue };
            let kind = self.facts.kind(&field.ty);
            add(&mut self.facts.fields, &name, kind);
            add(&mut self.facts.names, &name, kind);
            self.facts.members.insert((of.to_string(), name.clone()), kind);
            if is_out(&field.ty) {
                self.facts.outs.insert(of.to_string(), name);
            }
        }
    }

    fn function(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let name = sig.ident.to_string();
        let typed = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some((&*typed.pat, &*typed.ty)),
            FnArg::Receiver(_) => None,
        });
        let mut kinds = Vec::new();
        for (pat, ty) in typed {
            let kind = self.facts.kind(ty);
            kinds.push(kind);
            match (pat, ty) {
                (Pat::Ident(ident), _) => {
                    add(&mut self.facts.names, &ident.ident.to_string(), kind)
                }
                (Pat::Tuple(names), Type::Tuple(types)) => {
                    for (pat, ty) in names.elems.iter().zip(&types.elems) {
                        if let Pat::Ident(ident) = pat {
                            let kind = self.facts.kind(ty);
                            add(&mut self.facts.names, &ident.ident.to_string(), kind);
                        }
                    }
                }
                _ => {}
            }
        }
        let result = match &sig.output {
            ReturnType::Default => Kind::NOTHING,
            ReturnType::Type(_, ty) => self.facts.kind(ty),
        };
        add(&mut self.facts.results, &name, result);
        let known = self.facts.parameters.entry(name.clone()).or_insert_with(|| kinds.clone());
        known.truncate(kinds.len());
        known.iter_mut().zip(&kinds).for_each(|(known, kind)| *known = known.and(*kind));
        let calls = Calls::of(block);
        let direct = self.facts.effects.entry(name.clone()).or_default();
        *direct = direct.or(calls.effects);
        self.facts.calls.entry(name.clone()).or_default().extend(calls.called);
        self.facts.mentions.entry(name).or_default().extend(calls.mentioned);
    }
}

impl<'ast> Visit<'ast> for Declarations<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.fields(&item.ident.to_string(), &item.fields);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        item.variants.iter().for_each(|v| self.fields(&v.ident.to_string(), &v.fields));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }
}

/// Whether a type is `Out<..>`, by reference.
pub fn is_out(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    let Type::Path(path) = &*reference.elem else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Out")
}

/// What a piece of code calls.
#[derive(Default)]
pub struct Calls {
    pub called: BTreeSet<String>,
    /// Also what it hands on to be called.
    pub mentioned: BTreeSet<String>,
    /// By commands of its own.
    pub effects: Effects,
}

impl Calls {
    pub fn of(block: &syn::Block) -> Calls {
        let mut calls = Calls::default();
        calls.visit_block(block);
        calls
    }

    pub fn of_expr(expr: &Expr) -> Calls {
        let mut calls = Calls::default();
        calls.visit_expr(expr);
        calls
    }
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        if is_out_by_name(&call.receiver) {
            self.effects = self.effects.or(Effects::of_command(&name));
        } else {
            self.called.insert(name.clone());
            self.mentioned.insert(name);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            self.called.extend(callee(&path.path));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        self.mentioned.extend(callee(&path.path));
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        use syn::punctuated::Punctuated;
        if let Ok(all) = mac.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated) {
            all.iter().for_each(|expr| self.visit_expr(expr));
        }
    }
}

/// Types of the election contract and of std. What is called of them is no function of the
/// protocol.
const FOREIGN: [&str; 9] =
    ["NodeSet", "Term", "Id", "Duration", "BTreeMap", "BTreeSet", "Vec", "String", "Out"];

/// The name of a function of the protocol, as far as one can see.
fn callee(path: &syn::Path) -> Option<String> {
    let mut from_last = path.segments.iter().rev();
    let name = from_last.next()?.ident.to_string();
    let is_foreign =
        from_last.next().is_some_and(|of| FOREIGN.iter().any(|foreign| of.ident == foreign));
    (!is_foreign).then_some(name)
}

/// Whether commands are given to it: protocols call it `out` or `o`.
fn is_out_by_name(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.path.is_ident("out") || path.path.is_ident("o"),
        Expr::Field(field) => {
            matches!(&field.member, syn::Member::Named(name) if name == "out" || name == "o")
        }
        _ => false,
    }
}
