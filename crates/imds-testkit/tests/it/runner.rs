//! The command runner.

use imds_testkit::{RefusingPort, Signal, SilentListener, TestEnvironment, secrets};

const NOWHERE: &str = "http://127.0.0.1:1";

fn shell() -> TestEnvironment {
    TestEnvironment::new("/bin/sh")
}

#[test]
fn shows_what_a_command_did() {
    let world = shell();
    let output =
        world.imds(["-c", "cat; echo \"$HOME\" >&2; exit 3"]).stdin("to stdout").endpoint(NOWHERE).run();
    assert_eq!(output.to_string(), "stdout:\n| to stdout (no newline)\nstderr:\n| ROOT/home\nexit: 3");
}

#[test]
fn commands_see_nothing_of_the_callers_environment() {
    let world = shell();
    let output = world.imds(["-c", "env | cut -d= -f1 | sort | grep -v -e PWD -e _"]).endpoint(NOWHERE).run();
    assert_eq!(output.to_string(), "stdout:\n| COLUMNS\n| HOME\n| PATH\n| TZ\nstderr: empty\nexit: 0");
}

#[test]
#[should_panic(expected = "refused to run `imds get instance-id`: no endpoint is set")]
fn refuses_to_run_without_an_endpoint() {
    let _ = shell().imds(["get", "instance-id"]).spawn();
}

#[test]
#[should_panic(expected = "`http://169.254.169.254` is no loopback endpoint")]
fn refuses_to_run_against_the_real_service() {
    let _ = shell().get("instance-id", "http://169.254.169.254").spawn();
}

#[test]
fn an_empty_network_reaches_nobody_not_even_loopback() {
    let listener = SilentListener::start();
    let address = listener.url().replace("http://127.0.0.1:", "/dev/tcp/127.0.0.1/");
    let world = TestEnvironment::new("/bin/bash");
    let output = world.imds(["-c", &format!("true < {address}")]).in_empty_network().run().exits_with(1);
    assert!(output.stderr().contains("Network is unreachable"), "{output}");
    assert_eq!(listener.connections(), 0);
    let output = world.imds(["-c", &format!("true < {address}")]).endpoint(NOWHERE).run().exits_with(0);
    assert_eq!((output.stderr(), listener.connections()), ("", 1));
}

#[test]
#[should_panic(expected = "secret leaked: stderr of `imds -c echo")]
fn a_secret_on_stderr_fails_the_test() {
    secrets::register("registered-secret-1");
    let _ = shell().imds(["-c", "echo registered-secret-1 >&2"]).prints_secrets().disabled().run();
}

#[test]
#[should_panic(expected = "secret leaked: stdout of `imds -c echo")]
fn a_secret_on_stdout_fails_the_test() {
    secrets::register("registered-secret-2");
    let _ = shell().imds(["-c", "echo registered-secret-2"]).disabled().run();
}

#[test]
fn a_secret_that_was_asked_for_may_stand_on_stdout() {
    secrets::register("registered-secret-3");
    let _ = shell().imds(["-c", "echo registered-secret-3"]).disabled().prints_secrets().run().exits_with(0);
}

#[test]
fn a_terminal_is_one() {
    let world = shell();
    let output = world.imds(["-c", "test -t 1 && echo yes"]).disabled().on_terminal().run();
    assert_eq!(output.exits_with(0).stdout(), "yes\r\n");
    let _ = world.imds(["-c", "test -t 1"]).disabled().run().exits_with(1);
}

#[test]
fn nobody_reads_a_closed_pipe() {
    let output = shell().imds(["-c", "cat /bin/sh; echo $? >&2"]).disabled().with_closed_stdout().run();
    assert!(output.stderr().contains("141") || output.stderr().contains("Broken pipe"), "{output}");
}

#[test]
fn many_commands_run_at_once_and_take_signals() {
    let world = shell();
    // Each waits for a signal, so that all are alive together.
    let running: Vec<_> =
        (0..20).map(|_| world.imds(["-c", "kill -STOP $$; exit 7"]).disabled().spawn()).collect();
    for command in &running {
        let pid = rustix::process::Pid::from_raw(command.id().cast_signed()).unwrap();
        let stopped = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::UNTRACED).unwrap();
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "not stopped");
    }
    for command in running {
        command.signal(Signal::CONT);
        let _ = command.wait().exits_with(7);
    }
}

#[test]
fn a_refusing_port_refuses() {
    let port = RefusingPort::take();
    let address = port.endpoint().replace("http://", "");
    let error = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
