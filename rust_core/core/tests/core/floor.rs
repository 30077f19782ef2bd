//! No room uses one above it, and files beside each other make no circle: read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; rooms of one storey know nothing of each other.
const STOREYS: [&[&str]; 8] = [
    &["error"],
    &["bounds", "cancel", "elementary", "sealed", "table"],
    &["random"],
    &["law"],
    &["biology"],
    &["tumour"],
    &["clinic"],
    &["schema"],
];

/// A module, as the names on the way to it.
type Module = Vec<String>;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every module but the root and those of tests, with its code: no comments, no tests.
fn modules() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut modules = BTreeMap::new();
    for file in files {
        let place = file.strip_prefix(&root).expect("below the root").with_extension("");
        let mut name: Module = place.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        name.retain(|part| part != "mod");
        if name == ["lib"] || name.last().is_some_and(|part| part == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source is text");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        modules.insert(name, lines.collect::<Vec<_>>().join("\n"));
    }
    modules
}

/// The names that follow a keyword such as `crate`, for each time it is written; of braces, one for each item.
fn named(code: &str, keyword: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for after in code.split(&format!("{keyword}::")).skip(1) {
        let mut path = Module::new();
        let mut rest = after;
        loop {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end == 0 {
                break;
            }
            path.push(rest[..end].to_owned());
            rest = rest[end..].strip_prefix("::").unwrap_or_default();
        }
        match rest.strip_prefix('{').and_then(|items| items.split_once('}')) {
            Some((items, _)) => found.extend(items.split(',').map(|item| {
                let first = item.trim().split("::").next().unwrap_or_default().to_owned();
                [path.clone(), vec![first]].concat()
            })),
            None => found.push(path),
        }
    }
    found
}

/// Which module uses which.
fn uses() -> BTreeSet<(Module, Module)> {
    let modules = modules();
    let mut uses = BTreeSet::new();
    for (module, code) in &modules {
        let folder = &module[..module.len() - 1];
        let of_parent = named(code, "super").into_iter().map(|path| [folder, &path].concat());
        // What a folder names after `pub use` or `use` without a keyword are its children.
        let children =
            modules.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
        let named_children = children
            .filter(|child| code.contains(&format!("use {}::", child[module.len()])))
            .cloned()
            .collect::<Vec<_>>();
        for mut path in named(code, "crate").into_iter().chain(of_parent).chain(named_children) {
            while !path.is_empty() && !modules.contains_key(&path) {
                path.pop();
            }
            if !path.is_empty() && path != *module {
                uses.insert((module.clone(), path));
            }
        }
    }
    uses
}

fn storey(module: &Module) -> usize {
    let is_of = |rooms: &&[&str]| rooms.contains(&module[0].as_str());
    STOREYS.iter().position(is_of).unwrap_or_else(|| panic!("{} has no storey: give it one", module[0]))
}

#[test]
fn no_room_uses_one_above_it() {
    let uses = uses();
    assert!(uses.len() > 100, "the sources are read: {}", uses.len());
    for (user, used) in uses {
        let allowed = user[0] == used[0] || storey(&used) < storey(&user);
        assert!(allowed, "{} uses {}", user.join("::"), used.join("::"));
    }
}

/// A way from `at` back to `goal`, if there is one.
fn way(
    at: &str,
    goal: &str,
    edges: &BTreeMap<String, BTreeSet<String>>,
    seen: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    for next in edges.get(at).into_iter().flatten() {
        if next == goal {
            return Some(vec![next.clone()]);
        }
        if seen.insert(next.clone())
            && let Some(rest) = way(next, goal, edges, seen)
        {
            return Some([vec![next.clone()], rest].concat());
        }
    }
    None
}

#[test]
fn what_stands_beside_each_other_makes_no_circle() {
    // In every folder, which of its files and folders uses which; "mod" is the folder's own file.
    let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (user, used) in uses() {
        let shared = user.iter().zip(&used).take_while(|(a, b)| a == b).count();
        let child = |module: &Module| module.get(shared).cloned().unwrap_or_else(|| "mod".into());
        let edges = folders.entry(user[..shared].to_vec()).or_default();
        edges.entry(child(&user)).or_default().insert(child(&used));
    }
    for (folder, edges) in folders {
        for start in edges.keys() {
            if let Some(circle) = way(start, start, &edges, &mut BTreeSet::new()) {
                panic!("in {}: {start} -> {}", folder.join("::"), circle.join(" -> "));
            }
        }
    }
}
