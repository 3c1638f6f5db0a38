//! What a large tree may take of the interface.

use imds_testkit::{Answer, FaultServer};

use crate::drivers::BOTH;

#[test]
fn at_most_four_connections_where_each_answer_closes_its_own() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_get(Answer::ok("v").closing());
        let client = driver.client(&server.endpoint(), |builder| builder);
        let results = client.get_all_at_once("instance-id", 40);
        assert!(results.iter().all(|result| result.is_ok()), "{driver:?}");
        let counts = server.counts();
        assert_eq!(counts.gets, 40);
        assert!((40..=44).contains(&counts.connections), "{driver:?}: {counts:?}");
    }
}
