//! No call goes out without credentials given on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use imds_fake_aws::{Fake, Shape, World};

use crate::change::{files, odd, world};
use crate::harness::{Ran, SECRET, bare, fleet, ran, run};

/// A metadata service with the credentials of a role, as far as anyone asks for them; every request
/// is noted before it is answered. (`imds-emulator` would do, and would have the AWS SDKs built a
/// second time, with its features.)
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

/// The command without credentials, on what looks like an instance: the metadata service answers,
/// and has some.
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
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(
        ran.stderr,
        "error: `GetCallerIdentity` expired: ExpiredToken: The security token is expired\n\
         hint: the credentials have expired: sign in again\n"
    );
    assert_eq!(fake.world().requests, 1);
}

/// A home with these configuration files, and the command in it.
fn with_config(config: &str, args: &[&str]) -> (tempfile::TempDir, std::process::Command) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let mut command = bare(home.path());
    command.args(args).args(["--backoff", "1ms"]);
    (home, command)
}

const ROLE: &str = "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n\
                    [profile audit]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/reader\n\
                    source_profile = base\n";

#[test]
fn the_role_of_a_profile_is_assumed_at_the_endpoint_that_is_given() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    fake.world().external_id = Some("e".to_owned());
    let url = fake.url();
    let args = ["state", "--profile", "audit", "--endpoint-url", &url];
    let (_home, command) = with_config(&format!("{ROLE}external_id = e\n"), &args);
    let ran = run(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(fake.world().called("AssumeRole"), 1, "STS too");
    for (config, says) in [
        (
            "[profile audit]\nrole_arn = a\nsource_profile = nobody\n",
            "profile `nobody`, named as `source_profile`, does",
        ),
        (
            "[profile audit]\nrole_arn = a\nsource_profile = b\n[profile b]\nrole_arn = a\nsource_profile = audit\n",
            "leads from one role to another without end",
        ),
        ("[profile other]\nregion = us-east-1\n", "no profile is called `audit`; there are: other"),
    ] {
        let (_home, command) = with_config(config, &args);
        let refused = run(command);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(says), "{says}: {refused:?}");
    }
}

#[test]
fn a_code_is_asked_for_on_the_terminal_and_without_one_that_is_said() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    let serial = "arn:aws:iam::111122223333:mfa/ops";
    fake.world().mfa = Some((serial.to_owned(), "123456".to_owned()));
    let url = fake.url();
    let args = ["state", "--profile", "audit", "--endpoint-url", &url];
    let config = format!("{ROLE}mfa_serial = {serial}\n");
    let (home, command) = with_config(&config, &args);
    // In a session of its own there is no terminal, anyone who runs the tests.
    let session = |options: &[&str]| {
        let mut session = std::process::Command::new("/usr/bin/setsid");
        session.args(options).arg(command.get_program()).args(command.get_args()).env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        session
    };
    let mut without = session(&["--wait"]);
    without.stdin(std::process::Stdio::null());
    let refused = run(without);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("is required (`mfa_serial`), and there is no terminal"), "{refused:?}");
    assert_eq!(fake.world().called("AssumeRole"), 0);
    for (code, status) in [("123456", 0), ("654321", 2), ("12", 2)] {
        let (ours, theirs) = imds_testkit::terminal::open();
        let mut asked = session(&["--wait", "--ctty"]);
        asked.stdin(theirs).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = asked.spawn().unwrap();
        drop(asked);
        let mut keys = std::fs::File::from(ours.try_clone().unwrap());
        writeln!(keys, "{code}").unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(status), "{code}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    drop(home);
}

#[test]
fn a_session_that_people_sign_in_to_names_the_command() {
    let sso = "[profile sso]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 111122223333\n\
               sso_role_name = reader\n[sso-session corp]\nsso_region = us-east-1\n\
               sso_start_url = https://example.awsapps.com/start\n";
    let (_home, command) = with_config(sso, &["state", "--profile", "sso"]);
    let refused = run(command);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.ends_with("hint: run `aws sso login --profile sso`\n"), "{refused:?}");
    let login = "[profile me]\nregion = us-east-1\nlogin_session = arn:aws:iam::111122223333:user/me\n";
    let (_home, command) = with_config(login, &["state", "--profile", "me"]);
    let refused = run(command);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.ends_with("hint: run `aws login --profile me`\n"), "{refused:?}");
    // The AWS CLI keeps such a session, and hands it on.
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    let (home, mut command) =
        with_config(login, &["state", "--profile", "me", "--endpoint-url", &fake.url()]);
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'configure export-credentials --profile me --format process' ] || exit 1\n\
         echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"{SECRET}\"}}'\n"
    );
    let aws = home.path().join("aws");
    std::fs::write(&aws, script).unwrap();
    std::fs::set_permissions(&aws, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    command.env("PATH", format!("{}:/usr/bin:/bin", home.path().display()));
    let ran = run(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn credentials_that_aws_does_not_accept_are_a_wrong_configuration() {
    for (code, message) in [
        ("InvalidClientTokenId", "The security token included in the request is invalid."),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        ),
        ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    ] {
        let mut world = World::new("111122223333", &["us-east-1"]);
        let harm = imds_fake_aws::Harm::Error(403, code.to_owned(), message.to_owned());
        world.faults.push(imds_fake_aws::Fault::always("GetCallerIdentity", harm));
        let fake = Fake::start(world).unwrap();
        let refused = ran(&fake, &["state"]);
        assert_eq!(refused.status, 2, "{refused:?}");
        let says = format!("error: AWS does not accept the credentials: {code}: {message}\nhint: ");
        assert!(refused.stderr.starts_with(&says), "{refused:?}");
    }
}

#[test]
fn a_region_of_nothing_is_none_and_of_nonsense_is_refused() {
    let fake = Fake::start(World::new("111122223333", &["eu-west-1", "us-east-1"])).unwrap();
    let with = |region: &str, default: &str| {
        let mut command = crate::harness::fleet(&fake, &["state", "--instances-only"]);
        command.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", default);
        run(command)
    };
    assert_eq!(with("", "eu-west-1").status, 0);
    assert!(fake.world().calls.keys().all(|((_, region), _)| region == "eu-west-1"));
    assert_eq!(with("", "").status, 0, "us-east-1, as ever");
    let before = fake.world().requests;
    let refused = with("eu west\u{1b}[2J", "");
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(
        refused.stderr,
        "error: `eu west\\u{1b}[2J` is not a Region: set `AWS_REGION` to one such as `eu-west-1`\n"
    );
    assert_eq!(ran(&fake, &["state", "--regions", "evil.example/"]).status, 2);
    assert_eq!(ran(&fake, &["state", "--endpoint-url", "nonsense"]).status, 2);
    assert_eq!(fake.world().requests, before);
}

#[test]
fn an_endpoint_url_that_is_set_to_nothing_is_not_set() {
    let fake = Fake::start(World::generate(Shape { accounts: 1, regions: 1, instances: 1 })).unwrap();
    let mut command = fleet(&fake, &["state", "--instances-only", "--output", "json"]);
    command.env("AWS_ENDPOINT_URL_STS", "").env("AWS_ENDPOINT_URL_EC2", " ");
    let ran = run(command);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.contains("\"complete\":1,"), "{ran:?}");

    // Nothing is set, so that AWS itself is asked: by a proxy, which refuses.
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    std::fs::write(&config, "[default]\nendpoint_url =\n").unwrap();
    let mut command = fleet(&fake, &["state"]);
    command
        .env("AWS_ENDPOINT_URL", "")
        .env("AWS_CONFIG_FILE", &config)
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env_remove("http_proxy");
    let ran = run(command);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.stderr.starts_with("error: `GetCallerIdentity` unreachable: "), "{ran:?}");
}

#[test]
fn a_proxy_and_fips_endpoints_are_used_where_the_environment_says_so() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
            head.push(byte[0]);
        }
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        String::from_utf8(head).unwrap()
    });
    let mut command = bare(Path::new("/nonexistent"));
    command
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("HTTPS_PROXY", format!("http://{address}"))
        .env_remove("http_proxy")
        .args(["state", "--backoff", "1ms"]);
    let ran = run(command);
    assert_eq!(ran.status, 3, "{ran:?}");
    let head = asked.join().unwrap();
    assert!(head.starts_with("CONNECT sts-fips.us-east-1.amazonaws.com:443 "), "{head}");
}

#[test]
fn a_bundle_that_holds_no_certificates_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("ca.pem");
    let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, says) in [
        ("", "holds no certificate in PEM"),
        ("text", "holds no certificate"),
        (torn, "certificate 1 cannot be used"),
    ] {
        std::fs::write(&bundle, text).unwrap();
        let mut command = bare(Path::new("/nonexistent"));
        command.env("AWS_CA_BUNDLE", &bundle).env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
        command.env("AWS_SECRET_ACCESS_KEY", SECRET).arg("state");
        let refused = run(command);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(says), "{says}: {refused:?}");
    }
}
