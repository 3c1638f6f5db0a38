//! What kind of request it is, and who made it.

use crate::harness::{Cgroup, Tracer, emulator, inside, shown};

const V4: &str = "http://169.254.169.254";
const V6: &str = "http://[fd00:ec2::254]";
const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds: 60";

#[test]
fn v1_v2_and_token_requests_with_their_callers() {
    if !inside("kinds::v1_v2_and_token_requests_with_their_callers") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    let token = cgroup.run(["curl", "-sf", "-X", "PUT", "-H", TTL, &format!("{V4}/latest/api/token")]);
    let header = format!("X-aws-ec2-metadata-token: {token}");
    cgroup.run(["curl", "-sf", &format!("{V4}/latest/meta-data/instance-id?x=y")]);
    cgroup.run(["curl", "-sf", "-H", &header, &format!("{V6}/latest/meta-data/instance-id")]);
    cgroup.run(["curl", "-s", "-H", "Metadata-Flavor: Google", &format!("{V4}/computeMetadata/v1/")]);
    // One connection, two requests.
    let keep = "Connection: keep-alive";
    cgroup.run(["curl", "-sf", "-H", keep, &format!("{V6}/latest/"), &format!("{V6}/2021-01-03/dynamic/")]);
    tracer.wait_for("request", 6);
    let (requests, end, code) = tracer.stop();
    let lines: Vec<String> = requests.iter().map(shown).collect();
    assert_eq!(
        lines,
        [
            "token PUT /latest/api/token 200",
            "v1 GET /latest/meta-data/instance-id 200",
            "v2 GET /latest/meta-data/instance-id 200",
            "other GET /computeMetadata/v1/ 404",
            "v1 GET /latest/ 200",
            "v1 GET /2021-01-03/dynamic/ 200",
        ]
    );
    assert_eq!(code, 0);
    for (field, count) in
        [("requests", 6), ("v1", 3), ("v2", 1), ("token", 1), ("other", 1), ("unreadable", 0)]
    {
        assert_eq!(end[field], count, "{field}: {end}");
    }
    assert_eq!(end["lost"]["requests"], 0);
    for request in &requests {
        let caller = &request["caller"];
        assert_eq!((&caller["name"], &caller["user"]), (&"curl".into(), &"root".into()), "{request}");
        assert_eq!(request["sdk"]["name"], "curl");
    }
    assert_eq!(requests[0]["hop_limit"], 1);
    assert_eq!(requests[1]["endpoint"], V4);
    assert_eq!(requests[2]["endpoint"], V6);
    assert_eq!(requests[3]["cloud"], "Google Cloud");
    assert_eq!(requests[4]["connection"], requests[5]["connection"]);
    assert_eq!(
        (&requests[4]["connection_request"], &requests[5]["connection_request"]),
        (&1.into(), &2.into())
    );
}
