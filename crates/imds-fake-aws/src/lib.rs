//! A fake EC2, with as much of CloudWatch, Organizations, STS, Auto Scaling and Config as
//! `imds-fleet` calls: documented behaviour, throttling by bucket, injected faults, counted calls.
//!
//! Apart from `imds-testkit` so that the small crate stays quick to build for all the others.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account_region;
pub mod answer;
pub mod autoscaling;
pub mod cases;
mod cloudwatch;
mod config;
mod ec2;
pub mod fault;
mod generate;
mod organizations;
pub mod request;
pub mod server;
mod sts;
pub mod throttle;
pub mod world;
mod xml;

pub use account_region::AccountRegion;
pub use fault::{Fault, Harm, Moment};
pub use generate::Shape;
pub use server::Fake;
pub use world::{FleetLaunch, FleetRequest, Group, Image, Instance, Mixed, Options, Template, World};
