//! What the public interface promises to those who build on it.

use std::borrow::Cow;
use std::time::SystemTime;

use imds::{AsyncBody, AsyncClient, AsyncWalk, Client, ClientBuilder, EndpointMode, Error, MetadataPath};
use imds_testkit::FaultServer;

const fn is_send<T: Send>() {}
const fn is_shared<T: Send + Sync + Clone>() {}
fn sent<T: Send>(future: T) -> T {
    future
}

#[test]
fn clients_are_shared_builders_are_sent_and_futures_too() {
    is_shared::<Client>();
    is_shared::<AsyncClient>();
    is_shared::<Error>();
    is_send::<ClientBuilder>();
    is_send::<AsyncBody>();
    is_send::<AsyncWalk>();
    const fn reads<T: tokio::io::AsyncRead>() {}
    const fn streams<T: futures_util::Stream<Item = Result<imds::Response, Error>>>() {}
    reads::<AsyncBody>();
    streams::<AsyncWalk>();
}

/// Calls every method of both clients, so that one that only one of them has does not compile.
macro_rules! both {
    ($blocking:ident, $tasks:ident, $($name:ident($($argument:expr),*);)*) => {
        $(
            let blocking = $blocking.$name($($argument),*);
            let tasks = sent($tasks.$name($($argument),*)).await;
            assert_eq!(
                blocking.map_err(|error| error.to_string()).map(|value| format!("{value:?}")),
                tasks.map_err(|error| error.to_string()).map(|value| format!("{value:?}")),
                stringify!($name)
            );
        )*
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_have_every_method_and_read_the_same() {
    let emulator = crate::emulator().start().unwrap();
    let builder =
        || Client::builder().environment(imds::EmptyEnvironment).endpoint(emulator.endpoint()).no_store();
    let (blocking, tasks) = (builder().build().unwrap(), builder().build_async().unwrap());
    both! {
        blocking, tasks,
        get("instance-id");
        get("no-such-value");
        list("meta-data/");
        user_data();
        identity_document();
        verified_identity();
        iam_info();
        role_name();
        instance_credentials();
        role_credentials("my-role");
        identity_credentials_info();
        identity_credentials();
        spot_instance_action();
        rebalance_recommendation();
        scheduled_maintenance();
        maintenance_history();
        interfaces();
        tags();
        block_devices();
        public_keys();
    }
    assert_eq!(blocking.endpoint(), tasks.endpoint());
    assert_eq!((blocking.forget_token().unwrap(), tasks.forget_token().unwrap()), (false, false));
    blocking.token().unwrap();
    tasks.token().await.unwrap();
    drop((blocking.open("user-data").unwrap(), tasks.open("user-data").await.unwrap()));
    drop((blocking.open_user_data().unwrap(), tasks.open_user_data().await.unwrap()));
    let day = std::time::Duration::from_secs(86_400);
    drop((blocking.with_timeout(day), tasks.with_timeout(day)));
    drop((blocking.walk("placement/").unwrap(), tasks.walk("placement/").unwrap()));
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args, reason = "a borrowed string is one of the kinds")]
fn a_path_is_any_text() {
    let server = FaultServer::start();
    let imds = Client::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    let key = "Name";
    let path: MetadataPath = "tags/instance/Name".parse().unwrap();
    for response in [
        imds.get("tags/instance/Name"),
        imds.get(format!("tags/instance/{key}")),
        imds.get(&String::from("tags/instance/Name")),
        imds.get(Cow::Borrowed("tags/instance/Name")),
        imds.get(path.clone()),
        imds.get(&path),
    ] {
        assert_eq!(response.unwrap().path(), &path);
    }
}

#[test]
fn modes_are_parsed_times_are_times_and_what_is_returned_has_a_name() {
    assert_eq!("ipv6".parse::<EndpointMode>().unwrap(), EndpointMode::Ipv6);
    let _: fn(imds::Credentials) -> SystemTime = |credentials| credentials.expiration;
    let _: Option<imds::Category> = imds::hidden_by("2021-03-23").next();
}
