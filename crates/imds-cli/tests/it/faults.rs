//! What `imds get instance-id` does when the service answers with something else than it should.

use imds_testkit::{Answer, Behaviour, CommandOutput, FaultServer, Framing, SilentListener};

use crate::{INSTANCE_ID, world};

const TTL_HEADER: &str = "X-aws-ec2-metadata-token-ttl-seconds";

fn get(server: &FaultServer) -> CommandOutput {
    world().get("instance-id", &server.endpoint()).run()
}

#[test]
fn the_value() {
    let server = FaultServer::start();
    assert_eq!(
        get(&server).to_string(),
        format!("stdout:\n| {INSTANCE_ID} (no newline)\nstderr: empty\nexit: 0")
    );
}

#[test]
fn a_path_that_does_not_exist() {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    let output = get(&server).fails_with(3).says("`/latest/meta-data/instance-id`");
    assert!(!output.stderr().contains("hint:"), "{output}");
    assert_eq!((server.counts().token_puts, server.counts().gets), (1, 1));
}

#[test]
fn a_service_that_is_turned_off() {
    let server = FaultServer::start();
    server.every_token(Answer::status(403)).every_get(Answer::status(403));
    let _ = get(&server).fails_with(5).says("hint: the instance option `HttpEndpoint` may be `disabled`");
    assert_eq!(server.counts().gets, 0);
}

#[test]
fn a_get_that_is_refused() {
    let server = FaultServer::start();
    server.every_get(Answer::status(403));
    let _ = get(&server).fails_with(5).says("hint: the instance option `HttpEndpoint` may be `disabled`");
}

#[test]
fn a_service_without_tokens_is_never_asked_without_one() {
    for (status, code) in [(403, 5), (404, 1), (405, 1)] {
        let server = FaultServer::start();
        server.every_token(Answer::status(status)).every_get(Answer::ok("i-v1"));
        let _ = get(&server).fails_with(code).says("hint: ").says("`--imds-v1`");
        assert_eq!((server.counts().gets, server.counts().gets_without_token), (0, 0), "{status}");
        // By name, and only so.
        let _ = world().get("instance-id", &server.endpoint()).arg("--imds-v1").run().prints("i-v1");
        assert_eq!((server.counts().gets, server.counts().gets_without_token), (1, 1), "{status}");
    }
}

#[test]
fn a_token_request_that_is_found_wrong() {
    let server = FaultServer::start();
    server.every_token(Answer::status(400));
    let _ = get(&server).fails_with(1);
    assert_eq!((server.counts().token_puts, server.counts().gets), (1, 0), "400 is final");
}

#[test]
fn a_service_that_is_busy_for_ever() {
    for status in [503, 429, 500] {
        let server = FaultServer::start();
        server.every_get(Answer::status(status));
        let _ = get(&server).fails_with(6).says(&format!("({status})"));
        assert_eq!((server.counts().token_puts, server.counts().gets), (1, 3), "{status}");
    }
}

#[test]
fn a_service_that_is_busy_for_a_while() {
    let server = FaultServer::start();
    server.next_get([Answer::status(503), Answer::status(503)]);
    let _ = get(&server).prints(INSTANCE_ID);
    assert_eq!(server.take_counts().gets, 3);
    server.next_get([Answer::status(500)]);
    let _ = get(&server).prints(INSTANCE_ID);
    assert_eq!(server.take_counts().gets, 2);
    server.next_token([Answer::status(503)]);
    let _ = get(&server).prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 2);
}

#[test]
fn a_service_that_says_when_to_come_back() {
    let server = FaultServer::start();
    server.next_get([Answer::status(429).header("Retry-After", "1")]);
    let output = get(&server).prints(INSTANCE_ID);
    assert!(output.elapsed().as_secs_f64() >= 1.0, "came back too early:\n{output}");
    // Later than the deadline is never: the answer is given at once.
    server.next_get([Answer::status(429).header("Retry-After", "3600")]);
    let _ = get(&server).fails_with(6);
}

#[test]
fn a_connection_that_is_reset_in_the_middle() {
    let server = FaultServer::start();
    server.next_get([Answer::ok(INSTANCE_ID).reset_after(7)]);
    let _ = get(&server).prints(INSTANCE_ID);
    assert_eq!(server.take_counts().gets, 2, "asked again");
    server.every_get(Answer::ok(INSTANCE_ID).reset_after(7));
    let _ = get(&server).fails_with(4);
    assert_eq!(server.take_counts().gets, 3);
    let server = FaultServer::start();
    server.every_get(Behaviour::Hangup);
    let _ = get(&server).fails_with(4);
}

#[test]
fn a_body_that_is_shorter_than_it_said() {
    let short = Answer::ok(&INSTANCE_ID[..7]).framing(Framing::LengthSaid(INSTANCE_ID.len()));
    let server = FaultServer::start();
    server.next_get([short.clone()]);
    let _ = get(&server).prints(INSTANCE_ID);
    assert_eq!(server.take_counts().gets, 2, "asked again");
    server.every_get(short);
    let _ = get(&server).fails_with(1);
    assert_eq!(server.take_counts().gets, 3);
}

#[test]
fn a_body_that_is_too_large_is_an_error_and_no_cut() {
    let mebibyte = 1024 * 1024;
    for framing in [Framing::Length, Framing::Chunked(65536), Framing::UntilClose] {
        let server = FaultServer::start();
        server.every_get(Answer::ok(vec![b'x'; mebibyte + 1]).framing(framing));
        let _ = get(&server).fails_with(1).says("larger than the limit of 1048576 bytes");
        server.every_get(Answer::ok(vec![b'x'; mebibyte]).framing(framing));
        let _ = get(&server).prints(vec![b'x'; mebibyte]);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = SilentListener::start();
    for status in [301, 302, 303, 307, 308] {
        let redirect = Answer::status(status).header("Location", &elsewhere.url());
        let server = FaultServer::start();
        server.every_get(redirect.clone());
        let _ = get(&server).fails_with(1);
        assert_eq!(server.take_counts().gets, 1);
        server.every_token(redirect);
        let _ = get(&server).fails_with(1);
        assert_eq!(server.take_counts().gets, 0);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_page_in_place_of_a_token_is_not_used_as_one() {
    for page in [
        Answer::captive_portal(),
        Answer::ok("<html>Please log in</html>"),
        Answer::ok("<html>Please log in</html>").header(TTL_HEADER, "21600"),
        Answer::ok(""),
    ] {
        let server = FaultServer::start();
        server.every_token(page);
        let _ =
            get(&server).fails_with(1).says("hint: something other than the metadata service answers there");
        assert_eq!(server.counts().gets, 0, "nothing is sent to a service that is none");
    }
}

#[test]
fn a_body_of_any_bytes_comes_out_as_it_is() {
    let mut body: Vec<u8> = (0..1024_u32).map(|index| (index % 256).to_le_bytes()[0]).collect();
    body.extend_from_slice(b"\n\0\n");
    assert_eq!(body.len(), 1027);
    let server = FaultServer::start();
    server.every_get(Behaviour::Serve(body.clone()));
    let _ = get(&server).prints(&body);
}

#[test]
fn an_empty_value_is_a_value() {
    let server = FaultServer::start();
    server.every_get(Behaviour::Serve(Vec::new()));
    let _ = get(&server).prints("");
}

#[test]
fn a_token_without_a_ttl_serves_one_process() {
    let (world, server) = (world(), FaultServer::start());
    server.every_token(Answer::ok("token-without-a-ttl"));
    for _ in 0..2 {
        let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
        assert_eq!((server.counts().token_puts, server.take_counts().gets), (1, 1));
    }
}

#[test]
fn every_way_to_put_an_answer_on_the_wire() {
    let ttl = |token: Answer| token.header(TTL_HEADER, "21600");
    for shape in [
        Answer::http_1_0 as fn(Answer) -> Answer,
        Answer::closing,
        Answer::lower_case_headers,
        |answer| answer.framing(Framing::Chunked(5)),
        |answer| answer.framing(Framing::UntilClose),
        |answer| answer.framing(Framing::Chunked(5)).lower_case_headers().closing(),
    ] {
        let server = FaultServer::start();
        server
            .every_token(shape(ttl(Answer::ok("token-of-this-shape"))))
            .every_get(shape(Answer::ok(INSTANCE_ID)));
        let _ = get(&server).prints(INSTANCE_ID);
        assert_eq!((server.counts().token_puts, server.counts().gets), (1, 1));
    }
}

#[test]
fn proxies_see_nothing() {
    let (server, proxy) = (FaultServer::start(), SilentListener::start());
    let world = world();
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    let command = names
        .iter()
        .fold(world.get("instance-id", &server.endpoint()), |command, name| command.env(name, proxy.url()));
    let _ = command.run().prints(INSTANCE_ID);
    assert_eq!(proxy.connections(), 0);
}
