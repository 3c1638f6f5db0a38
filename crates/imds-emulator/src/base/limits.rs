//! Every bound on what a client, a file or the control API can make the emulator hold or do, in one
//! table. `docs/emulator/limits.md` is the same table with what happens beyond each; a test
//! compares the two.

use std::time::Duration;

/// Longest head of a request. The service's own limit is unknown; tokens have 56 bytes, paths below
/// 512.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;
/// Most headers of a request.
pub(crate) const HEADERS: usize = 64;
/// Longest body of a request; none is needed.
pub(crate) const BODY_BYTES: usize = 64 * 1024;
/// How long a client may take to send a request, the time before its first byte included.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(20);
/// How long a client may take to accept an answer.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(20);
/// Longest request to the control API.
pub(crate) const CONTROL_BYTES: usize = 1024 * 1024;
/// How long an exchange with the control API may take.
pub(crate) const CONTROL_TIME: Duration = Duration::from_secs(30);
/// Longest path of a value. The service's longest is below 200.
pub(crate) const PATH_BYTES: usize = 1024;
/// Most segments of a path. The service's deepest has 8.
pub(crate) const PATH_SEGMENTS: usize = 16;
/// Longest segment of a path.
pub(crate) const SEGMENT_BYTES: usize = 255;
/// Longest user data, before base64 (EC2 User Guide, "Work with instance user data").
pub(crate) const USER_DATA_BYTES: usize = 16 * 1024;
/// Longest instance file, snapshot or scenario.
pub(crate) const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Most events that wait for their time, by the control API.
pub(crate) const SCHEDULED_EVENTS: usize = 10_000;
/// Most values that are set above the instance's, by the control API.
pub(crate) const SET_VALUES: usize = 10_000;
/// Bytes of all those values.
pub(crate) const SET_BYTES: usize = 64 * 1024 * 1024;
/// Most faults in force, by the control API.
pub(crate) const FAULTS: usize = 1_000;
/// Most tags, by the control API; EC2 allows 50.
pub(crate) const TAGS: usize = 1_000;
/// Most scheduled maintenance events, by the control API.
pub(crate) const MAINTENANCE: usize = 100;
/// Maintenance events that the history keeps, the newest.
pub(crate) const MAINTENANCE_HISTORY: usize = 100;
/// Longest method and path in a recorded request.
pub(crate) const RECORDED_BYTES: usize = 512;
/// How often a lost port is bound again before the emulator ends with an error.
pub(crate) const BIND_ATTEMPTS: u32 = if cfg!(test) { 3 } else { 100 };
/// The pause before each of them, and after a connection that could not be accepted.
pub(crate) const BIND_PAUSE: Duration = Duration::from_millis(100);
