use std::cell::RefCell;
use std::time::Duration;

use imds_emulator::{Emulator, Event, Preset, instance::SpotAction};

// `cargo test` alone: the test starts an emulator itself.
#[test]
fn drains_before_the_interruption() {
    let emulator = Emulator::builder().described(Preset::Spot).start().unwrap();
    let client = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build().unwrap();
    let done = RefCell::new(Vec::new());
    let work = || {
        done.borrow_mut().push("work".to_owned());
        if done.borrow().len() == 3 {
            let notice = Duration::from_secs(120);
            emulator.service().apply(Event::Interrupt { action: SpotAction::Stop, notice });
        }
    };
    crate::run(&client, work, |action| done.borrow_mut().push(action)).unwrap();
    assert_eq!(*done.borrow(), ["work", "work", "work", "stop"]);
}
