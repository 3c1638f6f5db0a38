//! The page of the limits beside the limits.

use std::path::Path;

/// The page, and the table that the code has.
fn texts() -> [String; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../../docs/emulator/limits.md", "src/base/limits.rs"]
        .map(|path| std::fs::read_to_string(root.join(path)).unwrap())
}

/// The value of a constant's expression: a product of numbers, a duration or a choice for tests.
fn value(expression: &str) -> u64 {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    if let Some((_, other)) = expression.split_once("else {") {
        return value(other.trim_end_matches([' ', '}']));
    }
    if let Some(seconds) = expression.strip_prefix("Duration::from_secs(") {
        return number(seconds.trim_end_matches(')'));
    }
    if let Some(millis) = expression.strip_prefix("Duration::from_millis(") {
        return number(millis.trim_end_matches(')'));
    }
    expression.split('*').map(number).product()
}

#[test]
fn the_page_says_what_the_code_says() {
    let [page, code] = texts();
    let constants: Vec<(String, u64)> = code
        .lines()
        .filter_map(|line| line.strip_prefix("pub(crate) const "))
        .map(|line| {
            let (name, rest) = line.split_once(": ").unwrap();
            let (_, expression) = rest.split_once(" = ").unwrap();
            (name.to_owned(), value(expression.trim_end_matches(';')))
        })
        .collect();
    let rows: Vec<u64> = page
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?.split(" | ").nth(1)?.split([' ', ',']).next()?.parse().ok()
        })
        .collect();
    let of = |name: &str| constants.iter().find(|(known, _)| known == name).unwrap().1;
    let mut expected: Vec<u64> =
        constants.iter().filter(|(name, _)| !name.starts_with("BIND_")).map(|(_, value)| *value).collect();
    // Not among the constants: the recorder's default, and attempts times pause.
    expected.push(4096);
    expected.push(of("BIND_ATTEMPTS") * of("BIND_PAUSE") / 1000);
    assert_eq!(rows, expected);
}
