//! Reads the imports of one Rust file: `use` items and paths that begin with `crate`, `self` or
//! `super`.
//!
//! Works on tokens, so comments and strings never count. Code behind `#[cfg(test)]` is left out:
//! tests may look anywhere.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module's path below the root of its crate; empty for the root itself.
pub(crate) type ModulePath = Vec<String>;

/// One import, as it is written: what it leads to is found by [`super::modules`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) line: usize,
    /// The module that imports, inline modules included.
    pub(crate) module: ModulePath,
    pub(crate) path: Vec<String>,
    /// The name that a `use` gives it, `*` for a glob; `None` for a path in code.
    pub(crate) name: Option<String>,
}

/// What one file holds that matters for the arrows between modules.
#[derive(Debug, Default)]
pub(crate) struct FileImports {
    pub(crate) imports: Vec<Import>,
    pub(crate) inline_modules: Vec<ModulePath>,
    /// Modules in files of their own that are compiled for tests only.
    pub(crate) test_modules: Vec<ModulePath>,
}

pub(crate) fn read(text: &str, module: &ModulePath) -> Result<FileImports, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("cannot read it as Rust: {error}"))?;
    let mut file = FileImports::default();
    scan(tokens, &mut module.clone(), &mut file);
    Ok(file)
}

fn scan(tokens: TokenStream, module: &mut ModulePath, file: &mut FileImports) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((attribute, length)) = attribute(&tokens, at) {
            at += length;
            if is_for_tests(&attribute) {
                at = skip_item(&tokens, at, module, file);
            }
            continue;
        }
        match token {
            TokenTree::Ident(word) if word == "use" => {
                let end = find(&tokens, at, ';');
                use_tree(&tokens[at + 1..end], &[], module, file);
                at = end;
            }
            TokenTree::Ident(word) if word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    module.push(name.to_string());
                    file.inline_modules.push(module.clone());
                    scan(body.stream(), module, file);
                    module.pop();
                    at += 2;
                }
            }
            // `pub(crate)`, `pub(in crate::x)`: who may see it, not an import.
            TokenTree::Ident(word) if word == "pub" => {
                if matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) {
                    at += 1;
                }
            }
            TokenTree::Ident(word) if word == "crate" || word == "self" || word == "super" => {
                let path = path_at(&tokens, at);
                if path.len() > 1 {
                    at += 3 * (path.len() - 1);
                    let line = word.span().start().line;
                    file.imports.push(Import { line, module: module.clone(), path, name: None });
                }
            }
            TokenTree::Group(group) => scan(group.stream(), module, file),
            _ => {}
        }
        at += 1;
    }
}

/// The attribute that begins at `at`, and how many tokens it takes.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<(String, usize)> {
    let is = |token: Option<&TokenTree>, wanted: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    if !is(tokens.get(at), '#') {
        return None;
    }
    let skipped = if is(tokens.get(at + 1), '!') { 2 } else { 1 };
    match tokens.get(at + skipped) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Some((group.stream().to_string().replace(' ', ""), skipped + 1))
        }
        _ => None,
    }
}

fn is_for_tests(attribute: &str) -> bool {
    attribute == "test" || attribute == "cfg(test)" || attribute.starts_with("cfg(all(test,")
}

/// Skips what a `#[cfg(test)]` stands before; gives the index behind it.
fn skip_item(tokens: &[TokenTree], mut at: usize, module: &ModulePath, file: &mut FileImports) -> usize {
    while let Some((_, length)) = attribute(tokens, at) {
        at += length;
    }
    let begin = at;
    let is_use = tokens[begin.min(tokens.len())..]
        .iter()
        .take(3)
        .any(|t| matches!(t, TokenTree::Ident(word) if word == "use"));
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_use => return at,
            TokenTree::Ident(word) if word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Punct(_))) =
                    (tokens.get(at), tokens.get(at + 1))
                {
                    let mut path = module.clone();
                    path.push(name.to_string());
                    file.test_modules.push(path);
                }
            }
            _ => {}
        }
    }
    at
}

/// The index of the next `sign` at this level, or the end.
fn find(tokens: &[TokenTree], from: usize, sign: char) -> usize {
    let is = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign);
    tokens.iter().skip(from).position(is).map_or(tokens.len(), |offset| from + offset)
}

/// `a::b::c` at `at`, as its words.
fn path_at(tokens: &[TokenTree], at: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = at;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        if !is_double_colon(tokens, at + 1) {
            break;
        }
        at += 3;
    }
    path
}

fn is_double_colon(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(tokens.get(at)) && colon(tokens.get(at + 1))
}

/// One branch of a `use`: `a::b`, `a::{b, c as d}`, `a::*`.
fn use_tree(tokens: &[TokenTree], prefix: &[String], module: &ModulePath, file: &mut FileImports) {
    let mut path = prefix.to_vec();
    let mut at = 0;
    let mut line = 0;
    let mut name = None;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                name = tokens.get(at + 1).map(ToString::to_string);
                break;
            }
            TokenTree::Ident(word) => {
                line = word.span().start().line;
                if word != "self" || path.is_empty() {
                    path.push(word.to_string());
                }
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let comma =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                for branch in inner.split(comma).filter(|branch| !branch.is_empty()) {
                    use_tree(branch, &path, module, file);
                }
                return;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => name = Some("*".to_owned()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at += 1;
    }
    let name = name.or_else(|| path.last().cloned());
    if !path.is_empty() {
        file.imports.push(Import { line, module: module.clone(), path, name });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let file = read(text, &vec!["here".to_owned()]).unwrap();
        let name = |import: &Import| import.name.clone().unwrap_or_default();
        let line = |import: &Import| {
            format!(
                "{} {}: {} {}",
                import.line,
                import.module.join("::"),
                import.path.join("::"),
                name(import)
            )
        };
        file.imports.iter().map(line).collect()
    }

    #[test]
    fn reads_use_items_and_paths_in_code() {
        let text = "use crate::a::{b, self, c::{D as E, F}};\npub(crate) use super::g::*;\nuse std::io;\n\
                    pub(in crate::h) fn f(x: crate::h::X) { let y = vec![super::i::j(x)]; self.k(); }\n";
        assert_eq!(
            shown(text),
            [
                "1 here: crate::a::b b",
                "1 here: crate::a a",
                "1 here: crate::a::c::D E",
                "1 here: crate::a::c::F F",
                "2 here: super::g *",
                "3 here: std::io io",
                "4 here: crate::h::X ",
                "4 here: super::i::j ",
            ]
        );
    }

    #[test]
    fn leaves_out_tests_comments_and_strings() {
        let text = "// use crate::a;\nconst S: &str = \"crate::b::c\";\n#[cfg(test)]\nuse crate::{c, d};\n\
                    #[cfg(test)]\n#[derive(Debug)]\nstruct X { x: crate::e::E }\n#[cfg(test)]\nmod tests { use crate::f; }\n\
                    mod inner { use crate::g; }\n";
        assert_eq!(shown(text), ["10 here::inner: crate::g g"]);
    }

    #[test]
    fn knows_modules_for_tests_only() {
        let file = read("#[cfg(test)]\nmod machine_tests;\nmod machine;\n", &Vec::new()).unwrap();
        assert_eq!(file.test_modules, [["machine_tests".to_owned()]]);
        assert!(file.imports.is_empty());
    }
}
