//! What JMESPath specifies (jmespath.org, "JMESPath Specification"), in cases of our own, and where
//! the AWS CLI goes beyond it.

use serde_json::json;

use super::*;

fn given() -> Value {
    json!({
        "Reservations": [
            { "Instances": [
                { "Id": "i-1", "State": "running", "Size": 2, "Tags": [{ "Key": "Name", "Value": "web" }] },
                { "Id": "i-2", "State": "stopped", "Size": 8, "Tags": [] },
            ] },
            { "Instances": [{ "Id": "i-3", "State": "running", "Size": 4 }] },
        ],
        "zeta": 1,
        "alpha": { "b": [0, 1, 2, 3, 4], "a": null, "with space": "yes", "\u{fc}": 1.5 },
        "empty": { "list": [], "text": "", "object": {} },
        "date": "2026-11-25T14:00:00Z",
        "flag": false,
        "numbers": [3, 1, 2],
        "words": ["pear", "apple", "fig"],
        "nested": [[1, [2]], [3], 4],
    })
}

fn found(expression: &str) -> String {
    let query = Query::parse(expression).unwrap_or_else(|failure| panic!("{expression}: {failure:?}"));
    query.search(&given()).unwrap_or_else(|failure| panic!("{expression}: {failure:?}")).to_string()
}

fn cause(failure: Failure) -> String {
    match failure {
        Failure::Told { cause, .. } => cause.unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_grammar() {
    for (expression, expected) in [
        ("zeta", "1"),
        ("@.zeta", "1"),
        ("absent", "null"),
        ("absent.deeper", "null"),
        ("zeta.deeper", "null"),
        (r#"alpha."with space""#, r#""yes""#),
        (r#"alpha."\u00fc""#, "1.5"),
        ("alpha.b[0]", "0"),
        ("alpha.b[-1]", "4"),
        ("alpha.b[9]", "null"),
        ("alpha.b[-9]", "null"),
        ("alpha.b[1:3]", "[1,2]"),
        ("alpha.b[:2]", "[0,1]"),
        ("alpha.b[3:]", "[3,4]"),
        ("alpha.b[::2]", "[0,2,4]"),
        ("alpha.b[::-1]", "[4,3,2,1,0]"),
        ("alpha.b[-2:]", "[3,4]"),
        ("alpha.b[-99:99]", "[0,1,2,3,4]"),
        ("alpha.b[4:1:-2]", "[4,2]"),
        ("alpha.b[99:-99:-2]", "[4,2,0]"),
        ("zeta[0]", "null"),
        ("zeta[:1]", "null"),
        ("Reservations[*].Instances[*].Id", r#"[["i-1","i-2"],["i-3"]]"#),
        ("Reservations[].Instances[].Id", r#"["i-1","i-2","i-3"]"#),
        ("Reservations[].Instances[] | [0].Id", r#""i-1""#),
        ("Reservations[*].absent", "[]"),
        ("zeta[*]", "null"),
        ("zeta[]", "null"),
        ("nested[]", "[1,[2],3,4]"),
        ("nested[][]", "[1,2,3,4]"),
        ("empty.*", r#"[[],"",{}]"#),
        ("zeta.*", "null"),
        ("*.text", r#"[""]"#),
        ("Reservations[].Instances[?State=='running'].Id[]", r#"["i-1","i-3"]"#),
        ("Reservations[].Instances[?Size>`3`].Id[]", r#"["i-2","i-3"]"#),
        ("Reservations[].Instances[?Size>=`2`&&Size<=`4`].Id[]", r#"["i-1","i-3"]"#),
        ("Reservations[].Instances[?!(State!='running')].Id[]", r#"["i-1","i-3"]"#),
        ("Reservations[].Instances[?Tags].Id[]", r#"["i-1"]"#),
        ("Reservations[].Instances[].Tags[?Key=='Name'].Value[] | [0]", r#""web""#),
        ("[zeta, flag]", "[1,false]"),
        ("{z: zeta, a: flag}", r#"{"z":1,"a":false}"#),
        ("absent.[zeta]", "null"),
        ("absent.{z: zeta}", "null"),
        ("absent || zeta", "1"),
        ("flag || empty.text || `3`", "3"),
        ("zeta && flag", "false"),
        ("empty.list && zeta", "[]"),
        ("!(empty.object)", "true"),
        // `!` binds closer than `.`, as in `jmespath.py`.
        ("!empty.object", "null"),
        ("!zeta", "false"),
        ("zeta == `1.0`", "true"),
        ("zeta == `\"1\"`", "false"),
        ("words == ['pear', 'apple', 'fig']", "true"),
        ("{a: `1`, b: `2`} == {b: `2`, a: `1`}", "true"),
        ("zeta != `2`", "true"),
        ("zeta < `2`", "true"),
        ("flag < `2`", "null"),
        ("'it\\'s'", r#""it's""#),
        ("`{\"a\": [1, null]}`", r#"{"a":[1,null]}"#),
        ("(alpha.b)[0]", "0"),
        ("alpha.b | [1]", "1"),
        ("Reservations[*].Instances | [0][0].Id", r#""i-1""#),
    ] {
        assert_eq!(found(expression), expected, "{expression}");
    }
}

#[test]
fn the_functions() {
    for (expression, expected) in [
        ("abs(`-3`)", "3"),
        ("abs(`-1.5`)", "1.5"),
        ("avg(numbers)", "2.0"),
        ("avg(empty.list)", "null"),
        ("ceil(`1.2`)", "2"),
        ("floor(`-1.2`)", "-2"),
        ("floor(zeta)", "1"),
        ("contains(words, 'fig')", "true"),
        ("contains('figs', 'fig')", "true"),
        ("contains('figs', zeta)", "false"),
        ("contains(words, zeta)", "false"),
        ("ends_with(date, 'Z')", "true"),
        ("starts_with(date, '2026')", "true"),
        ("join(', ', words)", r#""pear, apple, fig""#),
        ("keys(alpha)", r#"["b","a","with space","ü"]"#),
        ("values(empty)", r#"[[],"",{}]"#),
        ("length(words)", "3"),
        ("length('größer')", "6"),
        ("length(empty.object)", "0"),
        ("map(&Id, Reservations[].Instances[])", r#"["i-1","i-2","i-3"]"#),
        ("map(&absent, words)", "[null,null,null]"),
        ("max(numbers)", "3"),
        ("min(words)", r#""apple""#),
        ("max(empty.list)", "null"),
        ("max_by(Reservations[].Instances[], &Size).Id", r#""i-2""#),
        ("min_by(Reservations[].Instances[], &Size).Id", r#""i-1""#),
        ("max_by(Reservations[].Instances[], &State).Id", r#""i-2""#),
        ("merge({a: `1`}, {b: `2`}, {a: `3`})", r#"{"a":3,"b":2}"#),
        ("not_null(absent, alpha.a, zeta)", "1"),
        ("not_null(absent)", "null"),
        ("reverse(numbers)", "[2,1,3]"),
        ("reverse('abc')", r#""cba""#),
        ("sort(numbers)", "[1,2,3]"),
        ("sort(words)", r#"["apple","fig","pear"]"#),
        ("sort_by(Reservations[].Instances[], &Size)[].Id", r#"["i-1","i-3","i-2"]"#),
        ("sum(numbers)", "6"),
        ("sum([`0.5`, `1`])", "1.5"),
        ("sum(empty.list)", "0"),
        ("to_array(zeta)", "[1]"),
        ("to_array(words)", r#"["pear","apple","fig"]"#),
        ("to_number('12')", "12"),
        ("to_number('1.5')", "1.5"),
        ("to_number('many')", "null"),
        ("to_number(words)", "null"),
        ("to_string(zeta)", r#""1""#),
        ("to_string(words)", r#""[\"pear\",\"apple\",\"fig\"]""#),
        ("type(absent)", r#""null""#),
        ("type(flag)", r#""boolean""#),
        ("[type(zeta), type(date), type(words), type(alpha)]", r#"["number","string","array","object"]"#),
    ] {
        assert_eq!(found(expression), expected, "{expression}");
    }
}

#[test]
fn as_the_aws_cli_has_it() {
    for (expression, expected) in [
        // Keys keep their order.
        ("alpha", r#"{"b":[0,1,2,3,4],"a":null,"with space":"yes","ü":1.5}"#),
        ("Reservations[1].Instances[0]", r#"{"Id":"i-3","State":"running","Size":4}"#),
        ("sort_by(Reservations[].Instances[], &Size)[1]", r#"{"Id":"i-3","State":"running","Size":4}"#),
        // A literal that is not JSON is a string.
        ("Reservations[].Instances[?State==`running`].Id[]", r#"["i-1","i-3"]"#),
        ("`plain words`", r#""plain words""#),
        ("` padded `", r#""padded""#),
        ("`say \"hi\"`", r#""say \"hi\"""#),
        ("`back\\`tick`", r#""back`tick""#),
        ("contains(words, `fig`)", "true"),
        ("'a `tick` in a raw string'", r#""a `tick` in a raw string""#),
        // Strings have an order, which dates are compared by.
        ("date > '2026-01-01'", "true"),
        ("date > `2027`", "null"),
        ("date > `2027-01-01`", "false"),
    ] {
        assert_eq!(found(expression), expected, "{expression}");
    }
}

#[test]
fn mistakes_are_named_before_anything_is_read() {
    for (expression, reason) in [
        ("", "Parse error: Unexpected nud token -- found Eof (line 0, column 0)"),
        ("a.", "Parse error: Expected identifier"),
        ("a[", "Parse error: Expected number, ':', or '*'"),
        ("[0", "Parse error: "),
        ("a b", "Parse error: Did not parse the complete expression"),
        ("'open", "Parse error: Unclosed ' delimiter"),
        ("`open", "Parse error: Unclosed ` delimiter"),
        ("lenght(a)", "there is no function `lenght`; did you mean `length`?"),
        ("a[?nope(@)]", "there is no function `nope`"),
        ("length()", "function `length` takes 1 argument, not 0"),
        ("merge()", "function `merge` takes at least 1 argument, not 0"),
        ("join(a)", "function `join` takes 2 arguments, not 1"),
    ] {
        let reason_found = cause(Query::parse(expression).unwrap_err());
        assert!(reason_found.starts_with(reason), "{expression}: {reason_found}");
    }
    for (expression, reason) in [
        ("length(zeta)", "function `length` takes a string, an array or an object"),
        ("sum(words)", "function `sum` takes an array of numbers"),
        ("sort(nested)", "function `sort` takes an array of numbers or an array of strings"),
        ("sort_by(words, zeta)", "function `sort_by` takes an `&expression`"),
        ("length(&zeta)", "function `length` takes `&expression` and an array"),
        ("alpha.b[::0]", "the step of a slice is 0"),
        ("&zeta", "`&` stands only for an argument of a function"),
    ] {
        let failure = Query::parse(expression).unwrap().search(&given()).unwrap_err();
        assert_eq!(cause(failure), reason, "{expression}");
    }
}

#[test]
fn what_would_exhaust_the_process_is_refused() {
    for text in ["[", "(", "!", "a[?", "{a:", "&", "[!", "a.[", "f(", "!(", "[?", "a[?b||!("] {
        for times in [200, 5000] {
            let reason = cause(Query::parse(&text.repeat(times)).unwrap_err());
            let bounds = [
                "it nests deeper than 32 levels",
                "it is longer than 4096 bytes",
                "it has more than 200 operators",
            ];
            assert!(bounds.contains(&reason.as_str()), "{text}: {reason}");
        }
        // What is within the bounds is parsed or refused, and never more.
        let _ = Query::parse(&text.repeat(15));
    }
    let doubling = vec!["[@,@]"; 60].join("|");
    let failure = Query::parse(&doubling).unwrap().search(&json!(1)).unwrap_err();
    assert_eq!(cause(failure), "it builds more than 2000000 values");
    // Long without being deep.
    for text in ["a.", "a|", "a||", "a&&", "@[0]|"] {
        let operators =
            text.len() - usize::from(text.starts_with('a')) - 2 * usize::from(text.starts_with('@'));
        let long = text.repeat(200 / operators) + "a";
        assert_eq!(Query::parse(&long).unwrap().search(&json!({})).unwrap(), Value::Null, "{text}");
    }
}
