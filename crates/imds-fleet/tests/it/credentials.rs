//! No call goes out without credentials given on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use imds_fake_aws::{Fake, World};

use crate::change::{files, odd, world};
use crate::harness::{Ran, SECRET, bare, ran, run};

/// A metadata service with the credentials of a role, as far as anyone asks for them; every request is noted before
/// it is answered. (`imds-emulator` would do, and would have the AWS SDKs built a second time, with its features.)
struct MetadataService {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl MetadataService {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // Ends with the process: it waits for connections, which is no harm.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who hangs up half way through is of no interest.
                let _ = serve(stream, &seen);
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(line.clone());
    let role = "/latest/meta-data/iam/security-credentials/";
    let (status, body) = match line.split(' ').collect::<Vec<_>>()[..] {
        ["PUT", "/latest/api/token", _] => ("200 OK", "a-token".to_owned()),
        ["GET", path, _] if path == role => ("200 OK", "reader".to_owned()),
        ["GET", path, _] if path.strip_prefix(role) == Some("reader") => (
            "200 OK",
            format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"{SECRET}","Token":"t","LastUpdated":"2026-11-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}}"#
            ),
        ),
        _ => ("404 Not Found", String::new()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The command without credentials, on what looks like an instance: the metadata service answers, and has some.
fn on_an_instance(home: &Path, fake: &Fake, imds: &MetadataService, args: &[&str]) -> Ran {
    let mut command = bare(home);
    command
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", imds.address))
        .env("AWS_ENDPOINT_URL", fake.url())
        .args(args);
    run(command)
}

#[test]
fn without_credentials_nothing_is_asked_not_even_imds() {
    let fake = Fake::start(world(&odd())).unwrap();
    let imds = MetadataService::start();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    assert_eq!(files.apply(&fake, &[]).status, 0);
    let asked = fake.world().requests;
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let (plan, journal, out) =
        (files.plan.to_str().unwrap(), files.journal.to_str().unwrap(), out.to_str().unwrap());
    let commands: [&[&str]; 9] = [
        &["state"],
        &["state", "--organization", "--all-regions"],
        &["state", "--source", "config-aggregator", "--aggregator", "all"],
        &["audit"],
        &["usage"],
        &["report", "--out", out],
        &["plan", "--http-tokens", "required", "--usage", "--out", out],
        &["apply", plan],
        &["rollback", journal],
    ];
    for args in commands {
        let ran = on_an_instance(home.path(), &fake, &imds, args);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert_eq!(
            ran.stderr,
            "error: no credentials\n\
             caused by: no credentials found in chain. Attempted:\n  \
             environment: the credential provider was not enabled: environment variable not set\n  \
             profile: the credential provider was not enabled\n  \
             web identity token: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set\n  \
             container: the credential provider was not enabled: ECS provider not configured\n\
             hint: set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; on an instance say \
             `--instance-role`\n",
            "{args:?}"
        );
        assert!(!Path::new(out).exists(), "{args:?}");
    }
    assert_eq!(fake.world().requests, asked);
    assert!(imds.requests().is_empty(), "nothing was asked of the metadata service");

    // The same with leave, so that it is seen what would have been counted.
    let leave = on_an_instance(home.path(), &fake, &imds, &["state", "--instance-role"]);
    assert_eq!((leave.status, leave.stderr.as_str()), (0, ""), "{leave:?}");
    assert!(imds.requests().len() > 1, "{:?}", imds.requests());
    assert!(fake.world().requests > asked);
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
