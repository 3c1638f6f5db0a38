//! The precedence of settings, row by row.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::*;

/// Fake variables and one fake config file.
#[derive(Default)]
struct Made {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<&'static str, &'static str>,
}

impl Environment for Made {
    fn variable_os(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).map(OsString::from)
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.files.get(path.to_str().unwrap()) {
            Some(&"denied") => Err(io::ErrorKind::PermissionDenied.into()),
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn is_root(&self) -> bool {
        false
    }
}

/// One row: what the environment, the config file at `/home/u/.aws/config`, and the caller say.
struct Row {
    docs: &'static str,
    env: &'static [(&'static str, &'static str)],
    file: &'static str,
    credentials: &'static str,
    endpoint: Option<&'static str>,
    mode: Option<EndpointMode>,
    profile: Option<&'static str>,
    /// The endpoint and its source, or the error.
    expect: Result<(&'static str, &'static str), &'static str>,
}

const ROW: Row = Row {
    docs: "",
    env: &[],
    file: "",
    credentials: "",
    endpoint: None,
    mode: None,
    profile: None,
    expect: Err("no row"),
};

const V4: &str = "http://169.254.169.254";
const V6: &str = "http://[fd00:ec2::254]";
const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
const GIVEN: &str = "the endpoint or mode that was given";
const FROM_ENV: &str = "environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT`";
const MODE_FROM_ENV: &str = "environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`";
const FILE: &str = "[default]\nec2_metadata_service_endpoint = http://f\nec2_metadata_service_endpoint_mode = IPv6\n\
                    [profile mode]\nec2_metadata_service_endpoint_mode = ipv6\n[profile bare]\n\
                    [profile bad]\nec2_metadata_service_endpoint_mode = 6\n";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { docs: "7: nobody says anything", expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "1: a given endpoint", endpoint: Some("http://g"), expect: Ok(("http://g", GIVEN)), ..ROW },
    Row { docs: "1 beats 2", endpoint: Some("http://g"), env: &[(ENDPOINT, "http://e")], expect: Ok(("http://g", GIVEN)), ..ROW },
    Row { docs: "1 beats 3", endpoint: Some("http://g"), file: FILE, expect: Ok(("http://g", GIVEN)), ..ROW },
    Row { docs: "1 beats 4", endpoint: Some("http://g"), mode: Some(EndpointMode::Ipv6), expect: Ok(("http://g", GIVEN)), ..ROW },
    Row { docs: "1 beats a bad 2", endpoint: Some("http://g"), env: &[(ENDPOINT, "nonsense")], expect: Ok(("http://g", GIVEN)), ..ROW },
    Row { docs: "2: the environment's endpoint", env: &[(ENDPOINT, "http://e:1/p/")], expect: Ok(("http://e:1/p", FROM_ENV)), ..ROW },
    Row { docs: "2 beats 3", env: &[(ENDPOINT, "http://e")], file: FILE, expect: Ok(("http://e", FROM_ENV)), ..ROW },
    Row { docs: "2 beats 4, as in every SDK", env: &[(ENDPOINT, "http://e")], mode: Some(EndpointMode::Ipv6), expect: Ok(("http://e", FROM_ENV)), ..ROW },
    Row { docs: "2 beats 5", env: &[(ENDPOINT, "http://e"), (MODE, "IPv6")], expect: Ok(("http://e", FROM_ENV)), ..ROW },
    Row { docs: "an empty 2 is none", env: &[(ENDPOINT, "")], file: FILE, expect: Ok(("http://f", "key `ec2_metadata_service_endpoint` of profile `default`")), ..ROW },
    Row { docs: "3 beats 4", file: FILE, mode: Some(EndpointMode::Ipv4), expect: Ok(("http://f", "key `ec2_metadata_service_endpoint` of profile `default`")), ..ROW },
    Row { docs: "3 beats 5 and 6", file: FILE, env: &[(MODE, "IPv4")], expect: Ok(("http://f", "key `ec2_metadata_service_endpoint` of profile `default`")), ..ROW },
    Row { docs: "4: a given mode", mode: Some(EndpointMode::Ipv6), expect: Ok((V6, GIVEN)), ..ROW },
    Row { docs: "4 beats 5", mode: Some(EndpointMode::Ipv4), env: &[(MODE, "IPv6")], expect: Ok((V4, GIVEN)), ..ROW },
    Row { docs: "4 beats 6", mode: Some(EndpointMode::Ipv4), file: FILE, profile: Some("mode"), expect: Ok((V4, GIVEN)), ..ROW },
    Row { docs: "5: the environment's mode, in any case", env: &[(MODE, "iPV6")], expect: Ok((V6, MODE_FROM_ENV)), ..ROW },
    Row { docs: "5: auto is ours", env: &[(MODE, "auto")], expect: Ok(("http://[fd00:ec2::254] or http://169.254.169.254", MODE_FROM_ENV)), ..ROW },
    Row { docs: "5 beats 6", env: &[(MODE, "IPv4"), ("AWS_PROFILE", "mode")], file: FILE, expect: Ok((V4, MODE_FROM_ENV)), ..ROW },
    Row { docs: "6: the profile's mode", env: &[("AWS_PROFILE", "mode")], file: FILE, expect: Ok((V6, "key `ec2_metadata_service_endpoint_mode` of profile `mode`")), ..ROW },
    Row { docs: "a given profile beats AWS_PROFILE", env: &[("AWS_PROFILE", "mode")], file: FILE, profile: Some("bare"), expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "AWS_DEFAULT_PROFILE is the older name", env: &[("AWS_DEFAULT_PROFILE", "mode")], file: FILE, expect: Ok((V6, "key `ec2_metadata_service_endpoint_mode` of profile `mode`")), ..ROW },
    Row { docs: "AWS_PROFILE beats AWS_DEFAULT_PROFILE", env: &[("AWS_PROFILE", "bare"), ("AWS_DEFAULT_PROFILE", "mode")], file: FILE, expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "AWS_PROFILE may name one of the credentials file", env: &[("AWS_PROFILE", "elsewhere")], file: FILE, credentials: "[elsewhere]\n", expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "whose keys count", env: &[("AWS_PROFILE", "elsewhere")], credentials: "[elsewhere]\nec2_metadata_service_endpoint = http://c", expect: Ok(("http://c", "key `ec2_metadata_service_endpoint` of profile `elsewhere`")), ..ROW },
    Row { docs: "and go before the config file's", file: FILE, credentials: "[default]\nec2_metadata_service_endpoint = http://c", expect: Ok(("http://c", "key `ec2_metadata_service_endpoint` of profile `default`")), ..ROW },
    Row { docs: "AWS_PROFILE must exist", env: &[("AWS_PROFILE", "nope")], file: FILE, expect: Err("profile `nope` is in neither the AWS config nor the credentials file"), ..ROW },
    Row { docs: "but not default", env: &[("AWS_PROFILE", "default")], expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "a given profile must exist", profile: Some("nope"), file: FILE, expect: Err("profile `nope` is in neither the AWS config nor the credentials file"), ..ROW },
    Row { docs: "AWS_CONFIG_FILE moves the file", env: &[("AWS_CONFIG_FILE", "/elsewhere")], file: FILE, expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "AWS_CONFIG_FILE may begin with ~", env: &[("AWS_CONFIG_FILE", "~/.aws/config")], file: FILE, expect: Ok(("http://f", "key `ec2_metadata_service_endpoint` of profile `default`")), ..ROW },
    Row { docs: "a bad given endpoint", endpoint: Some("ftp://x"), expect: Err("endpoint `ftp://x` is not an `http://HOST[:PORT]` URL"), ..ROW },
    Row { docs: "a bad 2 names its source", env: &[(ENDPOINT, "https://x")], expect: Err("endpoint `https://x` from environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT` is not an `http://HOST[:PORT]` URL"), ..ROW },
    Row { docs: "a bad 5 lists what is valid", env: &[(MODE, "ipv5")], expect: Err("endpoint mode `ipv5` from environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` is none of `IPv4`, `IPv6`, `auto`"), ..ROW },
    Row { docs: "a bad 6 names profile and key", profile: Some("bad"), file: FILE, expect: Err("endpoint mode `6` from key `ec2_metadata_service_endpoint_mode` of profile `bad` is none of `IPv4`, `IPv6`, `auto`"), ..ROW },
    Row { docs: "a default file that cannot be read is ignored", file: "denied", expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "even if it may have the profile", file: "denied", profile: Some("p"), expect: Ok((V4, "the default")), ..ROW },
    Row { docs: "one that was named is not", env: &[("AWS_CONFIG_FILE", "/home/u/.aws/config")], file: "denied", expect: Err("cannot read AWS config file `/home/u/.aws/config` of `AWS_CONFIG_FILE`"), ..ROW },
];

#[test]
fn endpoint_precedence() {
    for row in ROWS {
        let mut made = Made { variables: row.env.iter().copied().collect(), ..Made::default() };
        made.variables.insert("HOME", "/home/u");
        made.files.insert("/home/u/.aws/config", row.file);
        made.files.insert("/home/u/.aws/credentials", row.credentials);
        let given = Given {
            endpoint: row.endpoint.map(str::to_owned),
            mode: row.mode,
            profile: row.profile.map(str::to_owned),
            ..Given::default()
        };
        let resolved = given.resolve(&made);
        match (&resolved, row.expect) {
            (Ok(settings), Ok((endpoint, source))) => {
                assert_eq!(settings.endpoint.to_string(), endpoint, "{}", row.docs);
                assert_eq!(settings.endpoint.source().to_string(), source, "{}", row.docs);
            }
            (Err(error), Err(message)) => {
                assert_eq!(error.to_string(), message, "{}", row.docs);
                assert_eq!(error.kind(), ErrorKind::Config, "{}", row.docs);
            }
            _ => panic!("{}: {resolved:?}", row.docs),
        }
    }
}

fn resolve(
    variables: &[(&'static str, &'static str)],
    file: &'static str,
    given: Given,
) -> Result<Settings, String> {
    let mut made = Made { variables: variables.iter().copied().collect(), ..Made::default() };
    made.variables.insert("HOME", "/home/u");
    made.files.insert("/home/u/.aws/config", file);
    given.resolve(&made).map_err(|error| error.to_string())
}

#[test]
fn timeouts_and_attempts() {
    let defaults = resolve(&[], "", Given::default()).unwrap();
    assert_eq!(
        (defaults.connect_timeout, defaults.read_timeout, defaults.attempts, defaults.deadline),
        (CONNECT_TIMEOUT, READ_TIMEOUT, ATTEMPTS, DEADLINE)
    );
    assert_eq!(
        (defaults.body_limit, defaults.token_ttl_seconds, defaults.disabled.is_some()),
        (BODY_LIMIT, 21_600, false)
    );

    let set = [("AWS_METADATA_SERVICE_TIMEOUT", "30"), ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "5")];
    let file = "[default]\nmetadata_service_timeout = 2.5\nmetadata_service_num_attempts = 7\n";
    let settings = resolve(&set, file, Given::default()).unwrap();
    assert_eq!((settings.read_timeout, settings.attempts), (Duration::from_secs(30), 5));
    assert_eq!(settings.deadline, Duration::from_secs(150), "the deadline makes room for every attempt");

    let settings = resolve(&[], file, Given::default()).unwrap();
    assert_eq!((settings.connect_timeout, settings.attempts), (Duration::from_millis(2500), 7));

    let given = Given {
        connect_timeout: Some(Duration::from_secs(3)),
        attempts: Some(1),
        deadline: Some(Duration::from_secs(4)),
        ..Given::default()
    };
    let settings = resolve(&set, file, given).unwrap();
    assert_eq!(
        (settings.connect_timeout, settings.read_timeout, settings.attempts, settings.deadline),
        (Duration::from_secs(3), Duration::from_secs(30), 1, Duration::from_secs(4))
    );
}

#[test]
fn bad_numbers_name_themselves_and_their_source() {
    for (variable, value, message) in [
        (
            "AWS_METADATA_SERVICE_TIMEOUT",
            "soon",
            "timeout `soon` from environment variable `AWS_METADATA_SERVICE_TIMEOUT` is not a number of seconds \
             from 0.001 to 3600",
        ),
        (
            "AWS_METADATA_SERVICE_TIMEOUT",
            "0",
            "timeout `0` from environment variable `AWS_METADATA_SERVICE_TIMEOUT` is not a number of seconds \
             from 0.001 to 3600",
        ),
        (
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
            "0",
            "number of attempts `0` from environment variable `AWS_METADATA_SERVICE_NUM_ATTEMPTS` is not a number \
             from 1 to 1000",
        ),
    ] {
        assert_eq!(resolve(&[(variable, value)], "", Given::default()).unwrap_err(), message);
    }
    let ttl = |ttl| Given { token_ttl: Some(ttl), ..Given::default() };
    for bad in [Duration::ZERO, Duration::from_secs(21_601), Duration::from_millis(1500)] {
        let message = resolve(&[], "", ttl(bad)).unwrap_err();
        assert_eq!(message, format!("token TTL `{bad:?}` is not a whole number of seconds from 1 to 21600"));
    }
    assert_eq!(resolve(&[], "", ttl(Duration::from_secs(1))).unwrap().token_ttl_seconds, 1);
    let zero = Given { deadline: Some(Duration::ZERO), ..Given::default() };
    assert_eq!(resolve(&[], "", zero).unwrap_err(), "the deadline is zero");
    let none = Given { attempts: Some(0), ..Given::default() };
    assert_eq!(resolve(&[], "", none).unwrap_err(), "the number of attempts is 0; it is at least 1");
}

#[test]
fn only_true_disables() {
    for (value, disabled) in [("true", true), ("TRUE", true), ("false", false), ("1", false), ("", false)] {
        let settings = resolve(&[("AWS_EC2_METADATA_DISABLED", value)], "", Given::default()).unwrap();
        assert_eq!(settings.disabled.is_some(), disabled, "{value}");
    }
}

#[test]
fn a_password_in_an_endpoint_is_not_repeated() {
    for url in [
        "http://user:hunter2@169.254.169.254/",
        "https://user:hunter2@host",
        "http://user:hunter2@h@ost/",
        "user:hunter2@host",
        "http://user:hunter2@[::1",
        "http://host/@hunter2@x",
        "hunter2://user:hunter2@host",
    ] {
        for variables in [&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)][..], &[]] {
            let given = Given { endpoint: variables.is_empty().then(|| url.to_owned()), ..Given::default() };
            let Err(error) = resolve(variables, "", given) else { continue };
            assert!(error.starts_with("endpoint `"), "{error}");
            assert!(!error.contains(":hunter2"), "{error}");
        }
    }
}

#[test]
fn a_longer_deadline_gives_each_attempt_more_time() {
    let second = Duration::from_secs(1);
    for (deadline, read_timeout, attempts, expected) in [
        (None, None, None, second),
        (Some(20 * second), None, None, Duration::from_secs_f64(20.0 / 3.0)),
        (Some(20 * second), None, Some(1), 20 * second),
        (Some(2 * second), None, None, second),
        (Some(20 * second), Some(3 * second), None, 3 * second),
    ] {
        let given = Given { deadline, read_timeout, attempts, ..Given::default() };
        let found = resolve(&[], "", given).unwrap().read_timeout;
        assert!(found.abs_diff(expected) < Duration::from_micros(1), "{deadline:?}: {found:?}");
    }
}

#[test]
fn switches_and_the_role_from_environment_and_profile() {
    let v1 = || Given { version: ImdsVersion::V1, ..Given::default() };
    let file = "[default]\ndisable_ec2_metadata = TRUE\nec2_metadata_v1_disabled = true\n\
                ec2_instance_profile_name = web\n";
    for (variables, file, given, disabled) in [
        (&[][..], "", v1(), None),
        (&[("AWS_EC2_METADATA_V1_DISABLED", "True")], "", Given::default(), None),
        (
            &[("AWS_EC2_METADATA_V1_DISABLED", "True")],
            "",
            v1(),
            Some("IMDSv1 is disabled by environment variable `AWS_EC2_METADATA_V1_DISABLED`"),
        ),
        (
            &[],
            file,
            Given::default(),
            Some("the metadata service is disabled by key `disable_ec2_metadata` of profile `default`"),
        ),
        (&[("AWS_EC2_METADATA_DISABLED", "false")], file, Given::default(), None),
        (
            &[("AWS_EC2_METADATA_DISABLED", "false")],
            file,
            v1(),
            Some("IMDSv1 is disabled by key `ec2_metadata_v1_disabled` of profile `default`"),
        ),
    ] {
        assert_eq!(resolve(variables, file, given).unwrap().disabled.as_deref(), disabled, "{variables:?}");
    }
    let role = |variables, file| resolve(variables, file, Given::default()).unwrap().role;
    assert_eq!(role(&[], "").as_deref(), None);
    assert_eq!(role(&[], file).as_deref(), Some("web"));
    assert_eq!(role(&[("AWS_EC2_INSTANCE_PROFILE_NAME", "db")], file).as_deref(), Some("db"));
}

#[test]
fn what_is_ignored_is_named_with_file_and_line() {
    let warnings = |file| resolve(&[], file, Given::default()).unwrap().warnings;
    assert_eq!(warnings("[default]\nbroken\n"), ["`/home/u/.aws/config`, line 2, is ignored: it has no `=`"]);
    assert_eq!(
        warnings("denied"),
        ["cannot read AWS config file `/home/u/.aws/config`, which is ignored: permission denied"]
    );
}
