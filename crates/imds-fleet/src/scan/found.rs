//! How a scan hands on what it finds, and keeps what it does not.

use tokio::sync::mpsc::Sender;

use super::Event;
use crate::fault::Fault;
use crate::inventory::resource::{Gap, Resource};

/// Nobody listens any more.
#[derive(Debug)]
pub struct Gone;

pub(super) async fn send(to: &Sender<Event>, found: Vec<Resource>) -> Result<(), Gone> {
    if found.is_empty() {
        return Ok(());
    }
    to.send(Event::Found(found)).await.map_err(|_closed| Gone)
}

/// The answer, or a gap in its place.
pub(super) fn noted<T: Default>(result: Result<T, Fault>, gaps: &mut Vec<Gap>) -> (T, bool) {
    match result {
        Ok(value) => (value, true),
        Err(fault) => {
            gaps.push(fault.gap());
            (T::default(), false)
        }
    }
}
