//! Fish.

use super::{PREFIXES, one_line, places, spellings, valued};
use crate::table::{Table, Values, Word};

const BODY: &str = r#"
# Prints words; odd arguments are words, even ones what they mean.
function __NAME_words
    while set -q argv[1]
        printf '%s\t%s\n' $argv[1] $argv[2]
        set -e argv[1..2]
    end
end

# Prints paths of the metadata service in the spelling that is typed.
function __NAME_paths
    set -l current (commandline -ct)
    set -l before (string match -r '^(?:--[a-z0-9-]+=)?(?:[A-Za-z_][A-Za-z0-9_]*=)?' -- $current)
    set -l path (string sub -s (math (string length -- "$before") + 1) -- $current)
    for prefix in PREFIXES
        if string match -q -- "$prefix*" $path
            printf '%s\n' $before$prefix$argv
            return
        end
    end
    printf '%s\n' $before$argv $before'meta-data/' $before'dynamic/' $before'/latest/' $before'user-data'
end

function __NAME
    set -l key 'PROGRAM'
    set -l option ''
    set -l position 0
    set -l behind ''
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l count (count $tokens)
    for i in (seq 2 $count)
        set -l word $tokens[$i]
        if test -n "$behind"
            set behind more
        else if test "$word" = '--'
            set behind first
            set option ''
        else if test -n "$option"
            set option ''
        else if string match -q -- '--*=*' $word
            continue
        else if string match -q -- '-*' $word
            if __NAME_valued "$key $word"
                set option $word
            end
        else if set -l next (__NAME_level "$key $word")
            set key $next
            set position 0
            if set -l program (__NAME_external "$key")
                set -l rest (string escape -- $tokens[(math $i + 1)..-1])
                complete -C "$program $rest $current"
                return
            end
        else
            set position (math $position + 1)
        end
    end
    if test -n "$behind"
        __NAME_behind "$key" $behind
    else if test -n "$option"
        __NAME_values "$key $option"
    else if string match -q -- '--*=*' $current
        set -l name (string replace -r '=.*' '' -- $current)
        __NAME_values "$key $name" | string replace -r '^(?!--)' -- "$name="
    else if string match -q -- '-*' $current
        __NAME_options "$key"
    else
        test $position -eq 0; and __NAME_subcommands "$key"
        __NAME_values "$key $position"; or __NAME_values "$key more"
    end
end
"#;

pub(crate) fn script(table: &Table) -> String {
    let name = table.identifier();
    let prefixes: Vec<String> = PREFIXES.iter().map(|prefix| quoted(prefix)).collect();
    let mut script =
        format!("# Completions of {} for Fish. Loading or using them runs no program.\n", table.program);
    let switch = |function: &str, rows: Vec<(Vec<String>, String)>| {
        let mut text = format!("\nfunction __{name}_{function}\n    switch $argv[1]\n");
        for (keys, action) in rows {
            let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
            text.push_str(&format!("        case {}\n            {action}\n", keys.join(" ")));
        }
        text.push_str("        case '*'\n            return 1\n    end\nend\n");
        text
    };
    let levels = &table.levels;
    let rows = levels.iter().filter_map(spellings).map(|(keys, key)| (keys, format!("echo {}", quoted(key))));
    script.push_str(&switch("level", rows.collect()));
    let valued_rows: Vec<String> = levels.iter().flat_map(valued).collect();
    let rows = if valued_rows.is_empty() { Vec::new() } else { vec![(valued_rows, "return 0".to_owned())] };
    script.push_str(&switch("valued", rows));
    let rows = levels.iter().map(|level| (vec![level.key.clone()], described(&name, &level.options)));
    script.push_str(&switch("options", rows.collect()));
    let rows = levels.iter().filter(|level| !level.subcommands.is_empty());
    let rows = rows.map(|level| (vec![level.key.clone()], described(&name, &level.subcommands)));
    script.push_str(&switch("subcommands", rows.collect()));
    let rows = levels.iter().flat_map(places).map(|(keys, values)| (keys, action(&name, values)));
    script.push_str(&switch("values", rows.collect()));
    let rows = levels.iter().filter(|level| level.behind.is_some());
    let rows = rows.map(|level| {
        let action = "if test $argv[2] = first; complete -C (commandline -ct); else; __fish_complete_path \
                      (commandline -ct); end";
        (vec![level.key.clone()], action.to_owned())
    });
    script.push_str(&switch("behind", rows.collect()));
    let rows = levels.iter().filter_map(|level| Some((level, level.external.as_ref()?)));
    let rows = rows.map(|(level, program)| (vec![level.key.clone()], format!("echo {}", quoted(program))));
    script.push_str(&switch("external", rows.collect()));
    let body = BODY.replace("__NAME", &format!("__{name}")).replace("PROGRAM", &table.program);
    script.push_str(&body.replace("PREFIXES", &prefixes.join(" ")));
    script.push_str(&format!("\ncomplete -c {} -f -a '(__{name})'\n", table.program));
    script
}

/// A word in single quotes, in which Fish knows `\\` and `\'` only.
fn quoted(text: &str) -> String {
    format!("'{}'", one_line(text).replace('\\', r"\\").replace('\'', r"\'"))
}

fn described(name: &str, words: &[Word]) -> String {
    let words: Vec<String> =
        words.iter().map(|(word, meaning)| format!("{} {}", quoted(word), quoted(meaning))).collect();
    format!("__{name}_words {}", words.join(" "))
}

fn action(name: &str, values: &Values) -> String {
    match values {
        Values::Any => "true".to_owned(),
        Values::Words(words) => described(name, words),
        Values::Paths(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            format!("__{name}_paths {}", paths.join(" "))
        }
        Values::Both(first, second) => format!("{}; {}", action(name, first), action(name, second)),
        Values::Files => "__fish_complete_path (commandline -ct)".to_owned(),
        Values::Directories => "__fish_complete_directories (commandline -ct)".to_owned(),
        Values::Command => "complete -C (commandline -ct)".to_owned(),
    }
}
