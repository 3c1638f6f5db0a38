//! Listings and walks, counted on the wire.

use std::collections::BTreeMap;

use imds::{Client, EmptyEnvironment, ErrorKind};
use imds_emulator::HttpTokens;
use imds_testkit::{Answer, Behaviour, FaultServer};
use proptest::prelude::*;

use crate::drivers::BOTH;

fn client(endpoint: impl Into<String>) -> Client {
    // A loaded machine can take a while to answer, and a request that is repeated would be counted
    // twice.
    let patient = std::time::Duration::from_secs(60);
    Client::builder()
        .environment(EmptyEnvironment)
        .endpoint(endpoint)
        .no_store()
        .read_timeout(patient)
        .connect_timeout(patient)
        .deadline(patient * 2)
        .build()
        .unwrap()
}

/// A server with this tree below `/latest/meta-data/`; everything else is not there.
fn server(paths: &[(&str, &str)]) -> FaultServer {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    for (path, body) in paths {
        server.at(&format!("/latest/meta-data/{path}"), Behaviour::Serve(body.as_bytes().to_vec()));
    }
    server
}

fn values(client: &Client, path: &str) -> BTreeMap<String, Vec<u8>> {
    let leaves = client.walk(path).unwrap().into_iter();
    leaves.map(|leaf| leaf.unwrap()).map(|leaf| (leaf.path().to_string(), leaf.into_bytes())).collect()
}

#[test]
fn every_directory_and_leaf_is_asked_for_once_over_four_connections() {
    let emulator = crate::emulator().tokens(HttpTokens::Required).start().unwrap();
    let found = values(&client(emulator.endpoint()), "/latest/");
    let requests = emulator.requests();
    let mut asked: Vec<_> =
        requests.iter().filter(|r| &*r.method == "GET").map(|r| r.path.to_string()).collect();
    let total = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), total, "a path was asked for twice");
    assert_eq!(requests.len() - total, 1, "one token PUT and nothing else");
    assert!(found.len() > 40, "{}", found.len());
    assert_eq!(found.keys().filter(|path| asked.contains(path)).count(), found.len());
    assert_eq!(found["/latest/meta-data/placement/region"], b"us-east-1");
    assert!(found.contains_key("/latest/user-data"));
}

#[test]
fn at_most_four_connections_where_they_are_kept_alive() {
    let leaves: Vec<String> = (0..40).map(|number| format!("tree/leaf{number}")).collect();
    let listing = leaves.iter().map(|leaf| leaf.trim_start_matches("tree/")).collect::<Vec<_>>().join("\n");
    let mut paths = vec![("tree/", listing.as_str())];
    paths.extend(leaves.iter().map(|leaf| (leaf.as_str(), "value")));
    let server = server(&paths);
    assert_eq!(values(&client(server.endpoint()), "tree/").len(), 40);
    let counts = server.counts();
    assert_eq!((counts.token_puts, counts.gets, counts.gets_without_token), (1, 41, 0));
    assert!(counts.connections <= 4, "{counts:?}");
}

#[test]
fn a_filter_spares_requests() {
    let server = server(&[("a/", "x\nsecret\nb/"), ("a/x", "1"), ("a/b/", "y"), ("a/b/y", "2")]);
    let walk = client(server.endpoint())
        .walk("a/")
        .unwrap()
        .filter(|entry| entry.name != "secret" && entry.name != "b");
    let found: Vec<_> = walk.into_iter().map(|leaf| leaf.unwrap().path().to_string()).collect();
    assert_eq!(found, ["/latest/meta-data/a/x"]);
    assert_eq!(server.counts().gets, 2);
}

#[test]
fn one_failure_is_one_path() {
    let server = server(&[("a/", "gone\nbad\nworse/\nleft/\nfine"), ("a/fine", "1")]);
    server.at("/latest/meta-data/a/bad", Answer::status(400));
    server.at("/latest/meta-data/a/worse/", Answer::status(403));
    let (found, failed): (Vec<_>, Vec<_>) =
        client(server.endpoint()).walk("a/").unwrap().into_iter().partition(Result::is_ok);
    assert_eq!(found.len(), 1);
    let mut failed: Vec<_> = failed
        .into_iter()
        .map(|failure| failure.map(|_| ()).unwrap_err())
        .map(|error| (error.path().unwrap().to_string(), error.kind()))
        .collect();
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        failed,
        [
            ("/latest/meta-data/a/bad".to_owned(), ErrorKind::Protocol),
            ("/latest/meta-data/a/worse/".to_owned(), ErrorKind::Forbidden),
        ]
    );
}

#[test]
fn a_listing_without_end_ends() {
    let server = FaultServer::start();
    server.every_get(Behaviour::Serve(b"deeper/".to_vec()));
    let results: Vec<_> = client(server.endpoint()).walk("new/").unwrap().into_iter().collect();
    let [Err(error)] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().ends_with("is deeper than 32 levels"), "{error}");
}

#[test]
fn leaving_a_walk_early_leaves_the_rest_unasked() {
    let listing: Vec<String> = (0..500).map(|number| format!("leaf{number}")).collect();
    let server = FaultServer::start();
    server.every_get(Behaviour::Serve(b"value".to_vec()));
    server.at("/latest/meta-data/tree/", Behaviour::Serve(listing.join("\n").into_bytes()));
    let first = client(server.endpoint()).walk("tree/").unwrap().into_iter().next();
    assert_eq!(first.unwrap().unwrap().bytes(), b"value");
    assert!(server.counts().gets < 500);
}

#[test]
fn a_walk_of_a_value_is_the_value() {
    let emulator = crate::emulator().start().unwrap();
    let found = values(&client(emulator.endpoint()), "placement/region");
    assert_eq!(found, [("/latest/meta-data/placement/region".to_owned(), b"us-east-1".to_vec())].into());
}

/// Names that a listing can hold: no control characters, no `/`, neither `.` nor `..`.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 %?#+:=@~ßµ.-]{1,12}"
        .prop_filter("names a path can have", |name| !matches!(name.as_str(), "." | ".."))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_trees_come_back_whole(
        tree in prop::collection::btree_map(
            prop::collection::vec(name(), 1..4),
            prop::collection::vec(any::<u8>(), 0..200),
            1..25,
        )
    ) {
        let mut builder = crate::emulator();
        // Below a directory of their own, away from names with a meaning; a path in the way of
        // another is left out.
        let mut leaves = BTreeMap::new();
        for (path, value) in &tree {
            if tree.keys().any(|other| other.len() > path.len() && other.starts_with(path)) {
                continue;
            }
            builder = builder.set(&format!("/latest/meta-data/random/{}", path.join("/")), value.clone());
            let directory: imds::MetadataPath = "/latest/meta-data/random".parse().unwrap();
            let path = path.iter().fold(directory, |path, segment| path.child(segment).unwrap());
            leaves.insert(path.to_string(), value.clone());
        }
        let emulator = builder.start().unwrap();
        prop_assert_eq!(values(&client(emulator.endpoint()), "/latest/meta-data/random/"), leaves);
    }
}

#[test]
fn tasks_walk_as_threads_do() {
    let emulator = crate::emulator().tokens(HttpTokens::Required).start().unwrap();
    let mut found = Vec::new();
    for driver in BOTH {
        let client = driver.client(&emulator.endpoint(), |builder| builder);
        let before = (emulator.requests().len(), emulator.counters().connections);
        let leaves = client.walk("/latest/", |_| true);
        let connections = emulator.counters().connections - before.1;
        let requests = emulator.requests().split_off(before.0);
        let mut asked: Vec<_> =
            requests.iter().filter(|r| &*r.method == "GET").map(|r| r.path.to_string()).collect();
        let total = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!((asked.len(), requests.len()), (total, total + 1), "{driver:?}: each once, and one token");
        assert!((1..=4).contains(&connections), "{driver:?}: {connections}");
        let leaves: BTreeMap<_, _> = leaves
            .into_iter()
            .map(|leaf| leaf.unwrap())
            .map(|leaf| (leaf.path().to_string(), leaf.into_bytes()))
            .collect();
        found.push((asked, leaves));
        let listed = client.list("public-keys").unwrap();
        assert_eq!(listed[0].path.as_str(), "/latest/meta-data/public-keys/0/", "{driver:?}");
        let zones = client.walk("placement", |entry| entry.name.starts_with("availability"));
        assert_eq!(zones.len(), 2, "{driver:?}");
    }
    assert_eq!(found[0], found[1]);
    assert!(found[0].1.len() > 40);
}

#[test]
fn what_fails_in_a_task_s_walk_fails_alone() {
    for driver in BOTH {
        let server =
            server(&[("tree/", "a\nb\nsub/\n.."), ("ok/", "a\nb\nsub/"), ("ok/a", "1"), ("ok/sub/", "c")]);
        server.at("/latest/meta-data/ok/sub/c", Behaviour::Serve(b"2".to_vec()));
        let client = driver.client(&server.endpoint(), |builder| builder);
        let leaves = client.walk("ok/", |_| true);
        let mut told: Vec<_> = leaves
            .iter()
            .map(|leaf| match leaf {
                Ok(leaf) => leaf.path().to_string(),
                Err(error) => format!("{:?} {}", error.kind(), error.path().unwrap()),
            })
            .collect();
        told.sort();
        assert_eq!(told, ["/latest/meta-data/ok/a", "/latest/meta-data/ok/sub/c"], "{driver:?}");
        let gone = client.walk("none/", |_| true).remove(0).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound, "{driver:?}: the root itself");
        let leaves = client.walk("tree/", |_| true);
        assert_eq!(leaves.len(), 1, "{driver:?}");
        assert_eq!(leaves[0].as_ref().unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(client.list("none/").unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_s_walk_is_a_stream() {
    use futures_util::StreamExt as _;

    let emulator = crate::emulator().start().unwrap();
    let client = imds::AsyncClient::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(emulator.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let walk = client.walk("placement").unwrap();
    let mut leaves: Vec<_> = walk.map(|leaf| leaf.unwrap().text().unwrap().to_owned()).collect().await;
    leaves.sort();
    assert_eq!(leaves, ["us-east-1", "us-east-1a", "use1-az4"]);
}

const CREDENTIALS: &str =
    "{\n  \"Code\" : \"Success\",\n  \"SecretAccessKey\" : \"wJalrXUtnFEMI/K7MDENG\"\n}";

#[test]
fn a_secret_is_read_as_one_value_however_it_is_listed() {
    for (listing, path) in [
        ("web/", "iam/security-credentials/"),
        ("web", "iam/security-credentials/"),
        ("web/", "iam/security-credentials-extended/"),
        ("ec2-instance/", "identity-credentials/ec2/security-credentials/"),
        ("new/", "iam/"),
    ] {
        for driver in BOTH {
            let server = FaultServer::start();
            server.every_get(Behaviour::Serve(CREDENTIALS.into()));
            server.at(&format!("/latest/meta-data/{path}"), Behaviour::Serve(listing.into()));
            let client = driver.client(&server.endpoint(), |builder| builder);
            let leaves = client.walk(path, |entry| entry.is_secret);
            assert_eq!(leaves.len(), 1, "{driver:?} {path}{listing}");
            assert_eq!(leaves[0].as_ref().unwrap().bytes(), CREDENTIALS.as_bytes());
            assert_eq!(client.walk(path, |entry| !entry.is_secret).len(), 0);
            for request in server.requests() {
                assert!(!request.target.contains("Secret"), "{}", request.target);
                assert!(!request.target.ends_with(&format!("{}/", listing.trim_end_matches('/'))));
            }
        }
    }
}

#[test]
fn credentials_in_the_place_of_a_listing_are_neither_shown_nor_requested() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_get(Behaviour::Serve(CREDENTIALS.into()));
        let client = driver.client(&server.endpoint(), |builder| builder);
        for path in ["iam/security-credentials/", "iam/", "identity-credentials/ec2/security-credentials/"] {
            let leaves = client.walk(path, |_| true);
            assert_eq!(leaves.len(), 1, "{driver:?}");
            let error = leaves[0].as_ref().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("line 1 of the listing of `/latest/meta-data/{path}` is not a name")
            );
            assert_eq!(client.list(path).unwrap_err().kind(), ErrorKind::Protocol);
        }
        let before = server.counts().gets;
        for path in ["user-data", "iam/security-credentials/web/"] {
            assert_eq!(client.list(path).unwrap_err().kind(), ErrorKind::Path, "{driver:?}");
        }
        assert_eq!(server.counts().gets, before, "a secret is never requested as a listing");
    }
}

#[test]
fn a_walk_whose_filter_panics_ends_with_an_error() {
    let server = server(&[("a/", "x\ny"), ("a/x", "1"), ("a/y", "2")]);
    let walk = client(server.endpoint()).walk("a/").unwrap().filter(|_| panic!("the filter's own fault"));
    let results: Vec<_> = walk.into_iter().collect();
    let [Err(error)] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!(error.to_string(), "the filter of the walk panicked at the listing of `/latest/meta-data/a/`");
}

#[test]
fn a_walk_ends_by_its_deadline() {
    let names: Vec<String> = (0..60).map(|number| format!("leaf{number}")).collect();
    let server = FaultServer::start();
    server.every_get(Behaviour::Stall);
    server.at("/latest/meta-data/tree/", Behaviour::Serve(names.join("\n").into_bytes()));
    let second = std::time::Duration::from_secs(1);
    for driver in BOTH {
        let before = server.counts().gets;
        let client = driver.client(&server.endpoint(), |builder| {
            builder.read_timeout(second).connect_timeout(second).deadline(second).attempts(1)
        });
        let leaves = client.walk("tree/", |_| true);
        assert_eq!(leaves.len(), 60, "{driver:?}");
        assert!(leaves.iter().all(|leaf| leaf.as_ref().unwrap_err().kind() == ErrorKind::Unreachable));
        // The listing and four values at a time: the other values are never requested.
        assert!(server.counts().gets - before <= 9, "{driver:?}");
    }
}

#[test]
fn calls_of_a_client_with_a_timeout_end_together() {
    let second = std::time::Duration::from_secs(1);
    for driver in BOTH {
        let server = FaultServer::start();
        server.at("/latest/meta-data/slow", Behaviour::Stall);
        let client = driver.client(&server.endpoint(), |builder| builder.attempts(1)).with_timeout(second);
        assert_eq!(client.get("slow").unwrap_err().kind(), ErrorKind::Unreachable);
        let error = client.get("instance-id").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unreachable, 0), "{driver:?}");
    }
}
