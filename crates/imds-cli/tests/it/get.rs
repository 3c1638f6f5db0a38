//! `imds get`: what stands on stdout, in every form that can be asked for.

use imds_testkit::{Answer, Behaviour, FaultServer, Framing};

use crate::{INSTANCE_ID, world};

fn serving(body: &[u8]) -> FaultServer {
    let server = FaultServer::start();
    server.every_get(Behaviour::Serve(body.to_vec()));
    server
}

#[test]
fn a_path_has_many_spellings_and_is_one() {
    let (world, server) = (world(), FaultServer::start());
    for words in [
        &["get", "instance-id"][..],
        &["get", "meta-data/instance-id"],
        &["get", "latest/meta-data/instance-id"],
        &["get", "/latest/meta-data/instance-id"],
        &["get", "--path", "/latest/meta-data/instance-id"],
        &["latest/meta-data/instance-id"],
        &["/latest/meta-data/instance-id"],
    ] {
        let _ = world.imds(words).endpoint(&server.endpoint()).run().prints(INSTANCE_ID);
    }
    let mut targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets.remove(0), "/latest/api/token");
    targets.dedup();
    assert_eq!(targets, ["/latest/meta-data/instance-id"]);
}

#[test]
fn a_line_end_is_added_on_a_terminal_only() {
    let (world, server) = (world(), FaultServer::start());
    let terminal = world.get("instance-id", &server.endpoint()).on_terminal().run().exits_with(0);
    assert_eq!(terminal.stdout(), format!("{INSTANCE_ID}\r\n"));
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    // Not a second one.
    server.every_get(Behaviour::Serve(b"a\nb\n".to_vec()));
    let terminal = world.get("user-data", &server.endpoint()).on_terminal().run().exits_with(0);
    assert_eq!(terminal.stdout(), "a\r\nb\r\n");
}

#[test]
fn binary_does_not_go_to_a_terminal() {
    let (world, server) = (world(), serving(b"\x1f\x8b\x08\0"));
    let output = world.get("user-data", &server.endpoint()).on_terminal().run();
    let _ = output.fails_with(2).says("hint: ");
    let _ = world.get("user-data", &server.endpoint()).run().prints(b"\x1f\x8b\x08\0");
}

#[test]
fn several_values_stand_on_lines_of_their_own() {
    let world = world();
    let server = FaultServer::start();
    let get = |more: &[&str]| {
        let words = ["get", "ami-id", "--path", "mac"].iter().chain(more);
        world.imds(words).endpoint(&server.endpoint()).run()
    };
    let _ = get(&[]).prints(format!("{INSTANCE_ID}\n{INSTANCE_ID}\n"));
    let _ = get(&["-0"]).prints(format!("{INSTANCE_ID}\0{INSTANCE_ID}\0"));
    server.every_get(Behaviour::Serve(b"two\nlines".to_vec()));
    let _ = get(&[]).fails_with(2).says("`ami-id`").says("hint: use `--output json`, or `-0`");
    let _ = get(&["--null"]).prints("two\nlines\0two\nlines\0");
    server.every_get(Behaviour::Serve(b"a\0b".to_vec()));
    let _ = get(&["--null"]).fails_with(2).says("holds NUL");
}

#[test]
fn nothing_is_printed_unless_everything_was_read() {
    let (world, server) = (world(), FaultServer::start());
    server.next_get([Answer::ok("first"), Answer::status(404)]);
    let _ = world.imds(["get", "ami-id", "mac"]).endpoint(&server.endpoint()).run().fails_with(3);
    server.next_get([Answer::ok("first"), Answer::ok("sec").framing(Framing::LengthSaid(6))]);
    let once = world.imds(["get", "ami-id", "mac"]).endpoint(&server.endpoint());
    let _ = once.env("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1").run().fails_with(1);
}

#[test]
fn a_default_stands_in_for_a_value_that_does_not_exist_and_for_nothing_else() {
    let (world, server) = (world(), FaultServer::start());
    let get = || world.get("spot/instance-action", &server.endpoint()).arg("--default").arg("none").run();
    server.every_get(Answer::status(404));
    let _ = get().prints("none");
    for (status, code) in [(401, 5), (403, 5), (503, 6), (400, 1)] {
        server.every_get(Answer::status(status));
        let _ = get().fails_with(code);
    }
}

#[test]
fn a_query_searches_json() {
    let (world, server) = (world(), serving(br#"{"action":"stop","list":[1,2],"none":null}"#));
    let get = |more: &[&str]| {
        let words = ["get", "spot/instance-action"].iter().chain(more);
        world.imds(words).endpoint(&server.endpoint()).run()
    };
    let _ = get(&["--query", "action"]).prints("stop\n");
    let _ = get(&["--query", "action", "--output", "json"]).prints("\"stop\"\n");
    let _ = get(&["--select", "list[1]"]).prints("2\n");
    let _ = get(&["--query", "nothing"]).fails_with(3).says("the query found nothing");
    let _ = get(&["--query", "none", "--default", "x"]).prints("x\n");
    let _ = get(&["--query", "[["]).fails_with(2);
    server.every_get(Behaviour::Serve(b"plain".to_vec()));
    let _ = get(&["--query", "action"]).fails_with(1).says("is not JSON");
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let (world, server) = (world(), FaultServer::start());
    let output = world.get("instance-id", &server.endpoint()).with_closed_stdout().run().exits_with(0);
    assert_eq!(output.stderr(), "");
}

/// Runs a command with this redirection behind it.
fn redirected(to: &str) -> [String; 4] {
    ["/bin/sh", "-c", &format!("exec \"$@\" {to}"), "sh"].map(str::to_owned)
}

#[test]
fn a_value_that_cannot_be_written_is_no_success() {
    let (world, server) = (world(), FaultServer::start());
    for (to, cause) in [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")] {
        for words in [&["get", "instance-id"][..], &["categories"], &["completions", "bash"], &["man"]] {
            let out = world.imds(words).endpoint(&server.endpoint()).under(redirected(to)).run();
            let _ = out.fails_with(1).says("error: cannot write to stdout").says(cause);
        }
    }
    // `/dev/null` was asked for, however it was opened, and what prints nothing needs no output.
    for to in ["> /dev/null", "1<> /dev/null"] {
        let out = world.get("instance-id", &server.endpoint()).under(redirected(to)).run();
        assert_eq!(out.exits_with(0).stderr(), "");
    }
    let _ = world
        .imds(["token", "clear"])
        .endpoint(&server.endpoint())
        .under(redirected(">&-"))
        .run()
        .exits_with(0);
}

#[test]
fn a_wrong_command_line_asks_nobody() {
    let (world, server) = (world(), FaultServer::start());
    for words in [
        &["get"][..],
        &["get", ""],
        &["get", "http://127.0.0.1/latest"],
        &["get", "a/../../b"],
        &["get", "mac", "--no-such-option"],
        &["get", "mac", "--output", "xml"],
        &["get", "mac", "-0", "--output", "json"],
        &["no-such-command"],
    ] {
        let _ = world.imds(words).endpoint(&server.endpoint()).run().fails_with(2);
    }
    assert_eq!(server.counts().connections, 0);
}

#[test]
fn user_data_occurs_in_no_message() {
    let secret = "user-data-that-nobody-may-see-in-a-log";
    imds_testkit::secrets::register(secret);
    let (world, server) = (world(), serving(format!("{{\"password\":\"{secret}\"").as_bytes()));
    let _ = world.get("user-data", &server.endpoint()).arg("-v").prints_secrets().run().exits_with(0);
    // Neither where it is no JSON, nor where it does not fit on a line, nor where the service fails
    // with it.
    let _ = world.get("user-data", &server.endpoint()).arg("-v").arg("--query").arg("a").run().fails_with(1);
    server.every_get(Behaviour::Serve(format!("{secret}\n{secret}").into_bytes()));
    let _ = world.imds(["get", "-v", "user-data", "mac"]).endpoint(&server.endpoint()).run().fails_with(2);
    for status in [400, 403, 500] {
        server.every_get(Answer::ok(secret).with_status(status));
        let _ = world.get("user-data", &server.endpoint()).arg("-v").run();
    }
}
