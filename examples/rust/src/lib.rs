//! Drains before EC2 interrupts a Spot instance.

/// Works until EC2 announces an interruption, two minutes ahead, then drains.
pub fn run(
    imds: &imds::Client,
    mut work: impl FnMut(),
    drain: impl FnOnce(String),
) -> Result<(), imds::Error> {
    loop {
        match imds.spot_instance_action()? {
            Some(notice) => {
                drain(notice.action);
                return Ok(());
            }
            None => work(),
        }
    }
}

#[cfg(test)]
mod tests;
