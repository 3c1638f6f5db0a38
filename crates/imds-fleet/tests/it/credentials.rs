//! No call goes out without credentials given on purpose.

use std::net::TcpListener;

use imds_fake_aws::{Fake, World};

use crate::harness::{bare, ran, run};

#[test]
fn without_credentials_nothing_is_asked_not_even_imds() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    // Stands in for the instance's metadata service: nobody may come.
    let imds = TcpListener::bind("127.0.0.1:0").unwrap();
    imds.set_nonblocking(true).unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(home.path());
    command
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", imds.local_addr().unwrap()))
        .env("AWS_ENDPOINT_URL", fake.url())
        .arg("state");
    let ran = run(command);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stderr.starts_with("error: no credentials\n"), "{ran:?}");
    assert!(ran.stderr.contains("\nhint: set `AWS_PROFILE`"), "{ran:?}");
    assert_eq!(fake.world().requests, 0);
    assert_eq!(imds.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_instance_role_is_used_when_asked_for() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    let imds = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = imds.local_addr().unwrap();
    // It is asked: that is all this is about. It hangs up on whoever comes, so that the SDK gives up.
    let (asked, was_asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = imds.accept() {
            drop(stream);
            let _ = asked.send(());
        }
    });
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(home.path());
    command
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{address}"))
        .env("AWS_ENDPOINT_URL", fake.url())
        .args(["state", "--instance-role"]);
    let ran = run(command);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(was_asked.try_recv().is_ok(), "{ran:?}");
}

#[test]
fn a_profile_that_is_named_is_used() {
    let fake = Fake::start(World::new("111122223333", &["eu-west-1"])).unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(
        home.path().join(".aws/config"),
        "[profile audit]\nregion = eu-west-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n",
    )
    .unwrap();
    let mut command = bare(home.path());
    command.args(["state", "--profile", "audit", "--endpoint-url", &fake.url()]);
    let ran = run(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(fake.world().calls.keys().all(|((_, region), _)| region == "eu-west-1"));
}

#[test]
fn expired_credentials_are_called_so() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let expired = imds_fake_aws::Harm::Error(
        403,
        "ExpiredToken".to_owned(),
        "The security token is expired".to_owned(),
    );
    world.faults.push(imds_fake_aws::Fault::always("GetCallerIdentity", expired));
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["state"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert_eq!(
        ran.stderr,
        "error: `GetCallerIdentity` expired: ExpiredToken: The security token is expired\n\
         hint: the credentials have expired: sign in again\n"
    );
    assert_eq!(fake.world().requests, 1);
}
