//! The service without a socket: bytes in, bytes out, as a connection would have them. Fuzzing goes
//! through here.

use super::head::{self, Next};
use super::service::Service;
use crate::protocol::wire;
use crate::state::{Delivery, Origin};

impl Service {
    /// What a connection that received these bytes would send before its end. Faults that keep
    /// silent end it.
    #[must_use]
    pub fn answer_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut state = self.state();
        let connection = state.recorder.connection();
        let (mut rest, mut out, mut first) = (bytes, Vec::new(), true);
        loop {
            match head::next(rest) {
                Next::Request { request, length, keep_alive } => {
                    let origin = Origin { connection, client: None, first };
                    let mut after = state.answer(origin, &request, keep_alive, &mut out);
                    if let Delivery::Keys(fault) = after.delivery {
                        let _ = state.keys().make(state.clock().now());
                        after = state.answer_at_last(fault, origin, &request, keep_alive, &mut out);
                    }
                    first = false;
                    rest = rest.get(length..).unwrap_or_default();
                    if !after.keep_alive || after.delivery != Delivery::Whole {
                        return out;
                    }
                }
                Next::Partial => return out,
                Next::Refused => {
                    state.refuse(connection, None, &wire::malformed(), &mut out);
                    return out;
                }
            }
        }
    }
}
