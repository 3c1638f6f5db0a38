//! What is sent: nothing, no token, a prefix, and no secret that can be printed.

use super::*;

#[test]
fn v1_is_spoken_by_name_only_and_without_a_token() {
    let v1 = |given: &mut Given| given.version = ImdsVersion::V1;
    let mut harness =
        Harness::new(&MemoryStore::new(), v1).script(&[token("T")], &[value("v"), answer(401, "", "")]);
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (0, 1));
    assert!(!harness.requests[0].to_ascii_lowercase().contains("token"), "{}", harness.requests[0]);
    let error = harness.get().unwrap_err();
    assert_eq!((error.kind(), error.lacked_token()), (ErrorKind::Unauthorized, true));
    assert!(!error.is_retryable());
}

#[test]
fn disabled_sends_nothing() {
    let harness = Harness::new(&MemoryStore::new(), |_| {});
    let mut settings = harness.shared.settings.clone();
    settings.disabled = Some("the metadata service is disabled".to_owned());
    let shared = Shared {
        settings,
        clock: harness.shared.clock.clone(),
        store: None,
        key: harness.shared.key.clone(),
        session: Arc::default(),
        rate_limit: Arc::default(),
        observer: None,
        boot_id: None,
        observing: Mutex::default(),
    };
    let mut call = Call::new(Arc::new(shared), Goal::Token, None);
    assert_eq!(call.step(harness.clock.now()), Step::Done);
    let error = call.take().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disabled);
    assert_eq!(error.to_string(), "the metadata service is disabled");
}

#[test]
fn the_prefix_of_the_endpoint_stands_in_front_of_every_path() {
    let prefixed = |given: &mut Given| given.endpoint = Some("http://127.0.0.1:1/base/".to_owned());
    let mut harness = Harness::new(&MemoryStore::new(), prefixed).script(&[token("T")], &[value("v")]);
    harness.get().unwrap();
    assert!(harness.requests[0].starts_with("PUT /base/latest/api/token HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"));
    assert!(harness.requests[1].starts_with("GET /base/latest/meta-data/instance-id HTTP/1.1\r\n"));
}

#[test]
fn nothing_that_can_be_printed_holds_the_token() {
    let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&[token("SECRET")], &[value("v")]);
    harness.get().unwrap();
    let path = MetadataPath::from_static("/latest/user-data");
    let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
    while !matches!(call.step(harness.clock.now()), Step::Send { .. }) {
        call.event(harness.clock.now(), Event::Connected { endpoint: 0, reused: false });
    }
    assert!(call.outgoing().windows(6).any(|bytes| bytes == b"SECRET"));
    let shown = format!("{call:?} {:?} {:?}", harness.shared, harness.shared.session);
    assert!(!shown.contains("SECRET") && !shown.contains("83, 69, 67"), "{shown}");
}
