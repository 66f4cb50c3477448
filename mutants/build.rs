//! Writes mutated copies of the protocols, and the table of their mutants. See `mutate/mod.rs`.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "mutate/mod.rs"]
mod mutate;

use mutate::{Mutant, Source};

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    let root = here.parent().expect("a member's folder is in the workspace's").to_path_buf();
    println!("cargo:rerun-if-changed={}", root.join("models").display());
    println!("cargo:rerun-if-changed={}", here.join("mutate").display());
    let copies = out.join("models");
    // What an earlier build copied may have other names today.
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).expect("cargo's own folder");
    copy(&root.join("models/mod.rs"), &copies.join("mod.rs"));
    let mut table = Vec::new();
    for folder in entries(&root.join("models")).into_iter().filter(|path| path.is_dir()) {
        let protocol = name(&folder);
        if std::env::var_os(format!("CARGO_FEATURE_{}", protocol.to_uppercase())).is_some() {
            let first = table.len() as u32 + 1;
            let mutants = protocol_copy(&root, &folder, &copies.join(&protocol), first);
            table.extend(mutants.into_iter().map(|mutant| (protocol.clone(), mutant)));
        }
    }
    let module = format!(
        "#[path = {:?}]\n#[allow(warnings, clippy::all)]\npub mod models;\n",
        copies.join("mod.rs")
    );
    fs::write(out.join("protocols.rs"), module).expect("cargo's own folder");
    fs::write(out.join("table.rs"), rows(&table)).expect("cargo's own folder");
}

/// Writes the copy of one protocol; gives its mutants.
fn protocol_copy(root: &Path, folder: &Path, copy_to: &Path, first: u32) -> Vec<Mutant> {
    let mut sources = Vec::new();
    sources_under(root, folder, copy_to, &mut sources);
    let mutated = mutate::mutate(&sources, first).unwrap_or_else(|e| panic!("{e}"));
    for Source { path, text } in mutated.files {
        let inside = root.join(path);
        let file = inside.strip_prefix(folder).expect("it lies below");
        fs::write(copy_to.join(file), text).expect("cargo's own folder");
    }
    mutated.mutants
}

/// Copies what is no Rust, and reads what is, apart from tests; in folders within, too.
fn sources_under(root: &Path, folder: &Path, copy_to: &Path, sources: &mut Vec<Source>) {
    fs::create_dir_all(copy_to).expect("cargo's own folder");
    for path in entries(folder) {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if ["tests", "tests.rs"].contains(&name(&path).as_str()) {
            continue;
        }
        if path.is_dir() {
            sources_under(root, &path, &copy_to.join(name(&path)), sources);
        } else if !is_rust {
            copy(&path, &copy_to.join(name(&path)));
        } else {
            let relative = path.strip_prefix(root).expect("it lies below");
            let text =
                fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let path = relative.display().to_string().replace('\\', "/");
            sources.push(Source { path, text });
        }
    }
}

fn rows(table: &[(String, Mutant)]) -> String {
    let mut text = String::from("&[\n");
    for (protocol, m) in table {
        text += &format!(
            "    Mutant {{ number: {}, protocol: {protocol:?}, file: {:?}, line: {}, function: {:?}, operator: {:?}, \
             original: {:?}, mutated: {:?}, occurrence: {} }},\n",
            m.number, m.file, m.line, m.function, m.operator, m.original, m.mutated, m.occurrence
        );
    }
    text + "]\n"
}

/// In the order of their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> =
        all.map(|entry| entry.expect("a folder that can be read").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().expect("an entry has a name").to_string_lossy().into_owned()
}

fn copy(from: &Path, to: &Path) {
    let text = fs::read(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    fs::write(to, text).expect("cargo's own folder");
}
