//! Bash.

use super::{PREFIXES, places, posix_quoted as quoted, spellings, valued};
use crate::table::{Table, Values};

const BODY: &str = r#"
# Adds each word that begins with what is typed.
_NAME_words() {
    local word
    for word in "$@"; do
        [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done
}

# Adds paths of the metadata service in the spelling that is typed.
_NAME_paths() {
    local prefix word
    for prefix in PREFIXES; do
        if [[ $current == "$prefix"* ]]; then
            for word in "$@"; do
                word=$prefix$word
                [[ $word == "$current"* ]] && COMPREPLY+=("$word")
            done
            return
        fi
    done
    _NAME_words "$@" 'meta-data/' 'dynamic/' '/latest/' 'user-data'
}

_NAME_files() {
    local word
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$1" -- "$current")
}

_NAME() {
    local current=${COMP_WORDS[COMP_CWORD]} key='PROGRAM' option='' position=0 behind='' word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $behind ]]; then
            behind=more
        elif [[ $word == '--' ]]; then
            behind=first option=''
        elif [[ $word == '=' ]]; then
            :
        elif [[ $option ]]; then
            option=''
        elif [[ $word == -* ]]; then
            _NAME_valued "$key $word" && option=$word
        elif _NAME_level "$key $word"; then
            if _NAME_external "$key"; then return; fi
            position=0
        else
            position=$((position + 1))
        fi
    done
    [[ $current == '=' ]] && current=''
    if [[ $behind ]]; then
        _NAME_behind "$key" "$behind"
    elif [[ $option ]]; then
        _NAME_values "$key $option"
    elif [[ $current == -* ]]; then
        _NAME_options "$key"
    else
        ((position == 0)) && _NAME_subcommands "$key"
        _NAME_values "$key $position" || _NAME_values "$key more"
    fi
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
    return 0
}
"#;

pub(crate) fn script(table: &Table) -> String {
    let name = table.identifier();
    let prefixes: Vec<String> = PREFIXES.iter().map(|prefix| quoted(prefix)).collect();
    let mut script =
        format!("# Completions of {} for Bash. Loading or using them runs no program.\n", table.program);
    let case = |function: &str, rows: Vec<(Vec<String>, String)>, default: &str| {
        let mut text = format!("\n_{name}_{function}() {{\n    case $1 in\n");
        for (keys, action) in rows {
            let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
            text.push_str(&format!("        {}) {action} ;;\n", keys.join(" | ")));
        }
        text.push_str(&format!("        *) {default} ;;\n    esac\n}}\n"));
        text
    };
    let levels = &table.levels;
    let rows = levels.iter().filter_map(spellings).map(|(keys, key)| (keys, format!("key={}", quoted(key))));
    script.push_str(&case("level", rows.collect(), "return 1"));
    let valued_rows: Vec<String> = levels.iter().flat_map(valued).collect();
    let rows = if valued_rows.is_empty() { Vec::new() } else { vec![(valued_rows, "return 0".to_owned())] };
    script.push_str(&case("valued", rows, "return 1"));
    let words = |words: &[(String, String)]| {
        let words: Vec<String> = words.iter().map(|(word, _)| quoted(word)).collect();
        format!("_{name}_words {}", words.join(" "))
    };
    let rows = levels.iter().map(|level| (vec![level.key.clone()], words(&level.options)));
    script.push_str(&case("options", rows.collect(), "return 1"));
    let rows = levels.iter().filter(|level| !level.subcommands.is_empty());
    let rows = rows.map(|level| (vec![level.key.clone()], words(&level.subcommands)));
    script.push_str(&case("subcommands", rows.collect(), "return 1"));
    let rows = levels.iter().flat_map(places).map(|(keys, values)| (keys, action(&name, values)));
    script.push_str(&case("values", rows.collect(), "return 1"));
    let rows = levels.iter().filter(|level| level.behind.is_some());
    let rows = rows.map(|level| {
        let action = format!("if [[ $2 == first ]]; then _{name}_files -c; else _{name}_files -f; fi");
        (vec![level.key.clone()], action)
    });
    script.push_str(&case("behind", rows.collect(), "return 1"));
    let rows = levels.iter().filter_map(|level| Some((level, level.external.as_ref()?)));
    let rows = rows.map(|(level, program)| {
        let function = format!("_{}", program.replace('-', "_"));
        let action = format!(
            "declare -F {function} >/dev/null || return 0; COMP_WORDS=({} \"${{COMP_WORDS[@]:i + 1}}\"); \
             COMP_CWORD=$((COMP_CWORD - i)); {function}",
            quoted(program)
        );
        (vec![level.key.clone()], action)
    });
    script.push_str(&case("external", rows.collect(), "return 1"));
    let body = BODY.replace("_NAME", &format!("_{name}")).replace("PROGRAM", &table.program);
    script.push_str(&body.replace("PREFIXES", &prefixes.join(" ")));
    script.push_str(&format!("\ncomplete -F _{name} {}\n", table.program));
    script
}

fn action(name: &str, values: &Values) -> String {
    match values {
        Values::Any => ":".to_owned(),
        Values::Words(words) => {
            let words: Vec<String> = words.iter().map(|(word, _)| quoted(word)).collect();
            format!("_{name}_words {}", words.join(" "))
        }
        Values::Paths(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            format!("_{name}_paths {}", paths.join(" "))
        }
        Values::Both(first, second) => format!("{}; {}", action(name, first), action(name, second)),
        Values::Files => format!("_{name}_files -f"),
        Values::Directories => format!("_{name}_files -d"),
        Values::Command => format!("_{name}_files -c"),
    }
}
