//! What the model gives as an example is what the emulator answers: the default instance, or the
//! fullest one.

use std::path::Path;

use imds_emulator::{Clock, Emulator};
use imds_emulator::{Described, Preset, read_instance};
use imds_model::CATALOGUE;
use imds_model::catalogue::Format;
use serde_json::Value;

use crate::raw::{body, get, status};

/// Categories whose example is not what the emulator answers, and why.
const OTHERWISE: [(&str, &str); 17] = [
    ("dynamic/instance-identity/dsa2048", "named in some Regions only; nothing public says what it holds"),
    ("dynamic/instance-identity/pkcs7", "signed by the run's own authority"),
    ("dynamic/instance-identity/rsa2048", "signed by the run's own authority"),
    ("dynamic/instance-identity/signature", "signed by the run's own authority"),
    ("meta-data/elastic-gpus/", "retired"),
    ("meta-data/elastic-gpus/associations/", "retired"),
    ("meta-data/elastic-gpus/associations/<gpu-id>", "retired"),
    ("meta-data/elastic-inference/", "retired"),
    ("meta-data/elastic-inference/associations/", "retired"),
    ("meta-data/elastic-inference/associations/<accelerator-id>", "retired"),
    ("meta-data/iam/security-credentials-extended/<role-name>", "made anew for each version and generation"),
    ("meta-data/iam/security-credentials/<role-name>", "made anew for each version and generation"),
    (
        "meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
        "made anew for each version and generation",
    ),
    ("meta-data/managed-ssh-keys/", "names the certificate below"),
    (
        "meta-data/managed-ssh-keys/signer-cert",
        "EC2 Instance Connect's certificate, which nobody else can sign",
    ),
    (
        "meta-data/managed-ssh-keys/signer-ocsp/",
        "EC2 Instance Connect's certificate, which nobody else can sign",
    ),
    (
        "meta-data/managed-ssh-keys/signer-ocsp/<fingerprint>",
        "EC2 Instance Connect's certificate, which nobody else can sign",
    ),
];

/// The instance at the time of the examples.
fn instance(described: impl Into<Described>) -> Emulator {
    let then = "2026-01-15T10:00:00Z".parse().unwrap();
    Emulator::builder().described(described).clock(Clock::stepped(then)).start().unwrap()
}

/// The path with the labels of the examples.
fn concrete(path: &str) -> String {
    [
        ("<virtual-name>", "ebs1"),
        ("<role-name>", "my-role"),
        ("<user>", "ec2-user"),
        ("<mac>", "02:29:96:8f:6a:2d"),
        ("<public-ip>", "203.0.113.25"),
        ("<index>", "0"),
        ("<key>", "Name"),
    ]
    .iter()
    .fold(path.to_owned(), |path, (label, value)| path.replace(label, value))
}

/// Whether what was read is the example: to the byte, but for the layout of JSON and the members
/// that it leaves out, and for a directory that has more in it than the example names.
fn is_example(format: Format, example: &str, read: &str) -> bool {
    match format {
        Format::Json => {
            let [example, read] = [example, read].map(serde_json::from_str::<Value>);
            matches!((example, read), (Ok(example), Ok(read)) if holds(&read, &example))
        }
        Format::Directory => example.lines().all(|name| read.lines().any(|line| line == name)),
        _ => read == example,
    }
}

fn holds(read: &Value, example: &Value) -> bool {
    match (read, example) {
        (Value::Object(read), Value::Object(example)) => {
            let left_out_is_null =
                read.iter().all(|(name, value)| example.contains_key(name) || value.is_null());
            let held = |(name, value)| read.get(name).is_some_and(|read| holds(read, value));
            left_out_is_null && example.iter().all(held)
        }
        (Value::Array(read), Value::Array(example)) => {
            read.len() == example.len()
                && read.iter().zip(example).all(|(read, example)| holds(read, example))
        }
        _ => read == example,
    }
}

#[test]
fn every_example_of_the_model_is_what_an_instance_answers() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fullest.toml");
    let mut fullest = read_instance(&file).unwrap();
    fullest.options.http_tokens = imds_emulator::HttpTokens::Optional;
    let mut default = Described::from(Preset::Default);
    default.options.http_tokens = imds_emulator::HttpTokens::Optional;
    let (fullest, default) = (instance(fullest), instance(default));
    for category in CATALOGUE {
        let path = format!("/latest/{}", concrete(category.path()));
        let answers = [&default, &fullest].map(|emulator| get(emulator, &path, ""));
        let answered = answers.iter().any(|answer| {
            status(answer) == 200 && is_example(category.format(), category.example(), body(answer))
        });
        let otherwise = OTHERWISE.iter().find(|(path, _)| *path == category.path());
        assert_eq!(
            answered,
            otherwise.is_none(),
            "{path} ({otherwise:?}): the model says {:?}, the emulator {answers:#?}",
            category.example()
        );
    }
}

#[test]
fn what_every_instance_has_the_default_instance_has() {
    let mut described = Described::from(Preset::Default);
    described.options.http_tokens = imds_emulator::HttpTokens::Optional;
    let default = instance(described);
    for category in CATALOGUE.iter().filter(|one| one.presence() == imds_model::catalogue::Presence::Always) {
        let answer = get(&default, &format!("/latest/{}", concrete(category.path())), "");
        assert_eq!(status(&answer), 200, "{}", category.path());
    }
}
