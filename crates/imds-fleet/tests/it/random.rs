//! Documents with anything changed in them: saved output of EC2 and of AWS Config, our own output,
//! checkpoints, plans and journals. Never a signal, a panic or a control character in a message,
//! always an exit code that the manual lists.
//!
//! `IMDS_RANDOM_RUNS` sets the number of documents, 60 by default; a failure names its seed, and
//! `IMDS_RANDOM_SEED` runs that one alone.

use imds_fake_aws::{Fake, World};
use imds_testkit::Kill as Draw;

use crate::change::{files, odd, world};
use crate::harness::ran;
use crate::sources::DESCRIBE;

const CONFIG: &str = r#"{ "fileVersion": "1.0", "configurationItems": [ { "resourceType": "AWS::EC2::Instance",
  "resourceId": "i-1", "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "configurationItemStatus": "OK",
  "configuration": { "instanceId": "i-1", "state": { "name": "running" }, "metadataOptions": { "state": "applied",
  "httpTokens": "required", "httpPutResponseHopLimit": 2, "httpEndpoint": "enabled" } } } ] }"#;

/// What stands instead of a part of a document.
const PARTS: [&str; 16] = [
    "",
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "\"\"",
    "\"\\u0000\\u001b[2J\\u202e\"",
    "\u{1b}[2J\r",
    "{}",
    "[]",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"required\"",
    "\"../../../etc/passwd\"",
    "\n",
    "\u{feff}",
];

/// The document with one to four places changed.
fn changed(document: &str, draw: &mut Draw) -> Vec<u8> {
    let mut bytes = document.as_bytes().to_vec();
    for _ in 0..=draw.draw(4) {
        let length = u64::try_from(bytes.len()).unwrap();
        let from = usize::try_from(draw.draw(length + 1)).unwrap();
        let to = (from + usize::try_from(draw.draw(24)).unwrap()).min(bytes.len());
        match draw.draw(5) {
            0 => drop(bytes.drain(from..to)),
            1 => bytes.truncate(from),
            2 => {
                let again = bytes[from..to].to_vec();
                bytes.splice(from..from, again.repeat(usize::try_from(draw.draw(3_000)).unwrap()));
            }
            3 => bytes.iter_mut().skip(from).take(1).for_each(|byte| *byte ^= 1 << draw.draw(8)),
            _ => {
                // A whole value, where one begins here.
                let rest = &bytes[from..];
                let start = rest.iter().position(|byte| *byte == b':').map_or(from, |at| from + at + 1);
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
                let end = bytes[start..].iter().position(ends).map_or(start, |at| start + at);
                let part = PARTS[usize::try_from(draw.draw(16)).unwrap()];
                bytes.splice(start..end, part.bytes());
            }
        }
    }
    bytes
}

#[test]
fn any_document_ends_with_a_documented_exit_code() {
    let fake = Fake::start(world(&odd())).unwrap();
    let made = files();
    assert_eq!(made.plan(&fake, &[]).status, 0);
    let checkpoint = made.plan.with_extension("checkpoint");
    let state = ["state", "--output", "jsonl"];
    let own = ran(&fake, &[&state[..], &["--checkpoint", checkpoint.to_str().unwrap()]].concat()).stdout;
    let [plan, kept] = [&made.plan, &checkpoint].map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(made.apply(&fake, &[]).status, 0);
    let journal = std::fs::read_to_string(&made.journal).unwrap();
    let documents = [
        (DESCRIBE, "file"),
        (CONFIG, "file"),
        (&*own, "file"),
        (&*kept, "checkpoint"),
        (&*plan, "apply"),
        (&*journal, "rollback"),
    ];
    let directory = tempfile::tempdir().unwrap();
    for mut draw in Draw::seeds("IMDS_RANDOM_SEED", "IMDS_RANDOM_RUNS", 60) {
        let seed = draw.number;
        let (document, use_as) = documents[usize::try_from(draw.draw(6)).unwrap()];
        let path = directory.path().join(format!("document-{seed}"));
        std::fs::write(&path, changed(document, &mut draw)).unwrap();
        let path = path.to_str().unwrap();
        // What was accepted may change this one.
        let fake = Fake::start(if use_as == "file" { World::new("1", &[]) } else { world(&odd()) }).unwrap();
        let args = match use_as {
            "file" => vec!["state", "--source", "file", "--file", path],
            "checkpoint" => vec!["state", "--checkpoint", path],
            "apply" => vec!["apply", path, "--pause", "0", "--poll", "1ms", "--polls", "3"],
            _ => vec!["rollback", path, "--poll", "1ms", "--polls", "3"],
        };
        let ran = ran(&fake, &args);
        assert!((0..=7).contains(&ran.status), "seed {seed}, {use_as}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "seed {seed}, {use_as}: {ran:?}");
        let control = ran.stderr.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "seed {seed}, {use_as}: {ran:?}");
        assert!(ran.status == 0 || !ran.stderr.is_empty() || !ran.stdout.is_empty(), "seed {seed}: silent");
    }
}
