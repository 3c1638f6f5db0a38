//! Against the program `imds-fake-aws group`, which serves the lifecycle actions over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use imds_fake_aws::autoscaling::live::LiveGroup;
use imds_fake_aws::{Fake, World};

use crate::auto_scaling::INSTANCE;
use crate::daemon::{Daemon, Place};
use crate::{instance, set_state};

fn group() -> Fake {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let group = LiveGroup::new("web", INSTANCE, 3_600);
    Fake::start_at(address, World::new("123456789012", &["us-east-1"]), Some(group)).unwrap()
}

/// Posts a form, as `curl -d` does; gives the status and the body.
fn post(fake: &Fake, path: &str, form: &str) -> String {
    let address = fake.url();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let signed =
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20300101/us-east-1/autoscaling/aws4_request, x";
    let length = form.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: fake\r\nauthorization: {signed}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{form}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_action_is_refused_until_the_wait_begins_and_is_completed_then() {
    let (instance, fake, place) = (instance(), group(), Place::new());
    let mut command =
        place.prepared(&[], &instance.endpoint(), &["--when", "announced", "--exec", &place.command()]);
    command.env("AWS_ENDPOINT_URL", fake.url());
    let mut daemon = Daemon::start(command);
    daemon.says("state `InService`: nothing to do");
    // The group decides; the load balancer drains for an hour.
    let told = post(&fake, "/_fake/group", "walk=terminate&drain=1h");
    assert!(
        told.contains(r#""lifecycle-state":"Terminating","target-lifecycle-state":"Terminated""#),
        "{told}"
    );
    set_state(&instance, "Terminated");
    daemon.says("the command ended with exit status: 0").says("the action of `drain` is not open yet");
    let told = post(&fake, "/_fake/group", "walk=terminate&drain=0s");
    assert!(told.contains(r#""lifecycle-state":"Terminating:Wait""#), "{told}");
    daemon.says("state `Terminated`: completed");
    daemon.stop();
    let told = post(&fake, "/_fake/group", "");
    assert!(told.contains(r#""ended":["drain CONTINUE"]"#), "{told}");
}

#[test]
fn the_server_refuses_what_aws_refuses_in_its_words() {
    let fake = group();
    let call = |action: &str, more: &str| {
        let form = format!(
            "Action={action}&Version=2011-01-01&AutoScalingGroupName=web&LifecycleHookName=drain&\
             InstanceId={INSTANCE}{more}"
        );
        post(&fake, "/", &form)
    };
    let told = call("RecordLifecycleActionHeartbeat", "");
    assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("<Code>ValidationError</Code>"), "{told}");
    assert!(
        told.contains(&format!("No active Lifecycle Action found with instance ID {INSTANCE}")),
        "{told}"
    );
    let told = call("DescribeLifecycleHooks", "");
    assert!(told.starts_with("HTTP/1.1 200 ") && told.matches("<LifecycleHookName>").count() == 2, "{told}");
    let told = call("DescribeAutoScalingInstances", "&InstanceIds.member.1=i-2");
    assert!(told.starts_with("HTTP/1.1 200 ") && !told.contains("<member>"), "{told}");
    let told = post(&fake, "/_fake/group", "walk=Terminate");
    assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("one of `launch`"), "{told}");
    let without = Fake::start(World::new("123456789012", &["us-east-1"])).unwrap();
    assert!(post(&without, "/_fake/group", "walk=launch").contains("there is no group"));
}
