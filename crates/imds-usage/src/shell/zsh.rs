//! Zsh.

use super::{PREFIXES, places, posix_quoted as quoted, spellings, valued};
use crate::table::{Table, Values, Word};

const BODY: &str = r#"
# Offers words; odd arguments are words, even ones what they mean.
_NAME_words() {
    local -a described
    local word meaning
    for word meaning in "$@"; do
        described+=("${word//:/\\:}:$meaning")
    done
    _describe -t words word described
}

# Offers paths of the metadata service in the spelling that is typed.
_NAME_paths() {
    local prefix
    compset -P '[A-Za-z_][A-Za-z0-9_]#='
    for prefix in PREFIXES; do
        if [[ $PREFIX == ${prefix}* ]]; then
            compadd -- "${prefix}${^@}"
            return
        fi
    done
    compadd -S '' -- 'meta-data/' 'dynamic/' '/latest/'
    compadd -- "$@" 'user-data'
}

_NAME() {
    setopt localoptions extendedglob
    local key='PROGRAM' option='' position=0 behind='' word
    local -i i
    for ((i = 2; i < CURRENT; i++)); do
        word=$words[i]
        if [[ -n $behind ]]; then
            behind=more
        elif [[ $word == '--' ]]; then
            behind=first option=''
        elif [[ -n $option ]]; then
            option=''
        elif [[ $word == --*=* ]]; then
            :
        elif [[ $word == -* ]]; then
            _NAME_valued "$key $word" && option=$word
        elif _NAME_level "$key $word"; then
            if _NAME_external "$key"; then return; fi
            position=0
        else
            position=$((position + 1))
        fi
    done
    word=$words[CURRENT]
    if [[ -n $behind ]]; then
        _NAME_behind "$key" "$behind"
    elif [[ -n $option ]]; then
        _NAME_values "$key $option"
    elif [[ $word == --*=* ]]; then
        compset -P '--[^=]#='
        _NAME_values "$key ${word%%=*}"
    elif [[ $word == -* ]]; then
        _NAME_options "$key"
    else
        ((position == 0)) && _NAME_subcommands "$key"
        _NAME_values "$key $position" || _NAME_values "$key more"
    fi
    return 0
}
"#;

pub(crate) fn script(table: &Table) -> String {
    let name = table.identifier();
    let prefixes: Vec<String> = PREFIXES.iter().map(|prefix| quoted(prefix)).collect();
    let mut script = format!(
        "#compdef {program}\n# Completions of {program} for Zsh. Loading or using them runs no program.\n",
        program = table.program
    );
    let case = |function: &str, rows: Vec<(Vec<String>, String)>| {
        let mut text = format!("\n_{name}_{function}() {{\n    case $1 in\n");
        for (keys, action) in rows {
            let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
            text.push_str(&format!("        ({}) {action} ;;\n", keys.join("|")));
        }
        text.push_str("        (*) return 1 ;;\n    esac\n}\n");
        text
    };
    let levels = &table.levels;
    let rows = levels.iter().filter_map(spellings).map(|(keys, key)| (keys, format!("key={}", quoted(key))));
    script.push_str(&case("level", rows.collect()));
    let valued_rows: Vec<String> = levels.iter().flat_map(valued).collect();
    let rows = if valued_rows.is_empty() { Vec::new() } else { vec![(valued_rows, "return 0".to_owned())] };
    script.push_str(&case("valued", rows));
    let rows = levels.iter().map(|level| (vec![level.key.clone()], described(&name, &level.options)));
    script.push_str(&case("options", rows.collect()));
    let rows = levels.iter().filter(|level| !level.subcommands.is_empty());
    let rows = rows.map(|level| (vec![level.key.clone()], described(&name, &level.subcommands)));
    script.push_str(&case("subcommands", rows.collect()));
    let rows = levels.iter().flat_map(places).map(|(keys, values)| (keys, action(&name, values)));
    script.push_str(&case("values", rows.collect()));
    let rows = levels.iter().filter(|level| level.behind.is_some());
    let rows = rows.map(|level| {
        let action = "if [[ $2 == first ]]; then _path_commands; else _files; fi";
        (vec![level.key.clone()], action.to_owned())
    });
    script.push_str(&case("behind", rows.collect()));
    let rows = levels.iter().filter_map(|level| Some((level, level.external.as_ref()?)));
    let rows = rows.map(|(level, program)| {
        let function = format!("_{}", program.replace('-', "_"));
        let action = format!(
            "(($+functions[{function}])) || return 0; words=({} \"${{(@)words[i+1,-1]}}\"); \
             ((CURRENT -= i - 1)); {function}",
            quoted(program)
        );
        (vec![level.key.clone()], action)
    });
    script.push_str(&case("external", rows.collect()));
    let body = BODY.replace("_NAME", &format!("_{name}")).replace("PROGRAM", &table.program);
    script.push_str(&body.replace("PREFIXES", &prefixes.join(" ")));
    script.push_str(&format!(
        "\nif [[ $funcstack[1] == _{name} || $funcstack[1] == _{program} ]]; then\n    _{name} \"$@\"\nelse\n    \
         compdef _{name} {program}\nfi\n",
        program = table.program
    ));
    script
}

fn described(name: &str, words: &[Word]) -> String {
    let words: Vec<String> =
        words.iter().map(|(word, meaning)| format!("{} {}", quoted(word), quoted(meaning))).collect();
    format!("_{name}_words {}", words.join(" "))
}

fn action(name: &str, values: &Values) -> String {
    match values {
        Values::Any => ":".to_owned(),
        Values::Words(words) => described(name, words),
        Values::Paths(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            format!("_{name}_paths {}", paths.join(" "))
        }
        Values::Both(first, second) => format!("{}; {}", action(name, first), action(name, second)),
        Values::Files => "_files".to_owned(),
        Values::Directories => "_files -/".to_owned(),
        Values::Command => "_path_commands".to_owned(),
    }
}
