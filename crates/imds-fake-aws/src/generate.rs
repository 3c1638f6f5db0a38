//! Makes up a whole organization, the same one every time.

use crate::account_region::AccountRegion;
use crate::fault::{Fault, Harm};
use crate::world::{Defaults, Image, Instance, Options, Template, World};

/// How large an organization.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Accounts.
    pub accounts: usize,
    /// Regions, at most 17.
    pub regions: usize,
    /// Instances, spread evenly.
    pub instances: usize,
}

const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl World {
    /// An organization of this shape. Options repeat with periods that are prime to each other, so
    /// that every combination occurs and counts can be worked out.
    #[must_use]
    pub fn generate(shape: Shape) -> Self {
        let regions = &REGIONS[..shape.regions.clamp(1, REGIONS.len())];
        let mut world = Self::new("100000000000", regions);
        let accounts: Vec<String> =
            (0..shape.accounts.max(1)).map(|n| format!("{:012}", 100_000_000_000_u64 + n as u64)).collect();
        for account in &accounts {
            for region in regions {
                let contents = world.at(account, region);
                contents.images.push(Image {
                    id: "ami-0000000000000001a".to_owned(),
                    own: true,
                    imds_support: None,
                });
                contents.templates.push(Template {
                    id: format!("lt-{account}00000"),
                    name: "web".to_owned(),
                    versions: vec![(Options::default(), Some("ami-0000000000000001a".to_owned()))],
                    default: 1,
                    ..Template::default()
                });
                contents.defaults = Defaults::default();
            }
        }
        let places = accounts.len() * regions.len();
        for n in 0..shape.instances {
            let (account, region) =
                (&accounts[n % places / regions.len()], regions[n % places % regions.len()]);
            let switch = |on: bool| if on { "enabled" } else { "disabled" };
            let options = Options::full(
                if n % 3 == 0 { "optional" } else { "required" },
                i64::try_from(n % 5).unwrap_or(0) + 1,
                switch(n % 7 != 0),
                switch(n % 11 == 0),
                switch(n % 13 == 0),
            );
            let mut instance = Instance::new(&format!("i-{n:017x}"), options);
            if n % 17 == 0 {
                instance.lifecycle = Some("spot".to_owned());
            }
            if n % 19 == 0 {
                instance.run_state = "stopped".to_owned();
            }
            instance.tags.insert("Name".to_owned(), format!("host-{n}"));
            world.at(account, region).instances.push(instance);
        }
        world
    }

    /// One Region with an instance that needs IMDSv2, one that allows IMDSv1 and one that uses it,
    /// with a sample of both metrics every five minutes; `now` in seconds since 1970.
    #[must_use]
    pub fn tour(now: i64) -> Self {
        const WEEKS: i64 = 3 * 7 * 86_400;
        let mut world = Self::new("111122223333", &["eu-west-1"]);
        for (number, (name, tokens, calls)) in
            [("web", "required", 0.0), ("build", "optional", 0.0), ("legacy", "optional", 12.0)]
                .into_iter()
                .enumerate()
        {
            let options = Options::full(tokens, 2, "enabled", "disabled", "disabled");
            let mut instance = Instance::new(&format!("i-{:017x}", number + 1), options);
            instance.launched_at = now - 2 * WEEKS;
            instance.tags.insert("Name".to_owned(), name.to_owned());
            // An hour of them lies ahead, for a gate that waits.
            let times = (now - WEEKS..now + 3_600).step_by(300);
            for (metric, sum) in [("MetadataNoToken", calls), ("MetadataNoTokenRejected", 0.0)] {
                let samples = times.clone().map(|at| (at, sum)).collect();
                world.metrics.insert((instance.id.clone(), metric.to_owned()), samples);
            }
            world.at("111122223333", "eu-west-1").instances.push(instance);
        }
        world
    }

    /// Has `DescribeInstances` denied in one place of every hundred, or failing, in turn; says in
    /// how many.
    pub fn harm_one_place_in_a_hundred(&mut self) -> usize {
        let harmed: Vec<AccountRegion> = self.places.keys().step_by(100).cloned().collect();
        for (n, (account, region)) in harmed.iter().enumerate() {
            let harm = if n % 2 == 0 { Fault::denied() } else { Harm::Html(500) };
            self.faults.push(Fault::always("DescribeInstances", harm).at(account, region));
        }
        harmed.len()
    }
}
