//! Every example, run against the emulator with the real `aws-config`.

use imds::{AsyncClient, EmptyEnvironment};
use imds_emulator::Emulator;

#[allow(dead_code)]
#[path = "../../examples/sdk_config.rs"]
mod sdk_config;

#[tokio::test]
async fn the_loaded_configuration_has_region_and_credentials_of_the_instance() {
    let emulator = Emulator::builder().set("placement/region", "eu-north-1").start().unwrap();
    let imds = AsyncClient::builder()
        .environment(EmptyEnvironment)
        .endpoint(emulator.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let mut out = Vec::new();
    sdk_config::run(&imds, &mut out).await.unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "region eu-north-1\ncredentials of account 123456789012\n");
    let counters = emulator.counters();
    assert_eq!((counters.token_puts, counters.v1), (1, 0));
}
