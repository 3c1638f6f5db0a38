//! What exists in the fake AWS.

use std::collections::{BTreeMap, BTreeSet};

use crate::account_region::AccountRegion;
use crate::fault::Fault;
use crate::throttle::Throttle;

/// The five options, as text, each of which may be unset. The order is that of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `HttpTokens`
    pub http_tokens: Option<String>,
    /// `HttpPutResponseHopLimit`
    pub http_put_response_hop_limit: Option<i64>,
    /// `HttpEndpoint`
    pub http_endpoint: Option<String>,
    /// `HttpProtocolIpv6`
    pub http_protocol_ipv6: Option<String>,
    /// `InstanceMetadataTags`
    pub instance_metadata_tags: Option<String>,
}

impl Options {
    /// All five, set.
    #[must_use]
    pub fn full(tokens: &str, hop: i64, endpoint: &str, ipv6: &str, tags: &str) -> Self {
        Self {
            http_tokens: Some(tokens.to_owned()),
            http_put_response_hop_limit: Some(hop),
            http_endpoint: Some(endpoint.to_owned()),
            http_protocol_ipv6: Some(ipv6.to_owned()),
            instance_metadata_tags: Some(tags.to_owned()),
        }
    }

    /// Takes over what `change` sets; an unset one keeps its value, as documented for
    /// `ModifyInstanceMetadataOptions`.
    pub fn apply(&mut self, change: &Self) {
        fn set<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        set(&mut self.http_tokens, &change.http_tokens);
        set(&mut self.http_put_response_hop_limit, &change.http_put_response_hop_limit);
        set(&mut self.http_endpoint, &change.http_endpoint);
        set(&mut self.http_protocol_ipv6, &change.http_protocol_ipv6);
        set(&mut self.instance_metadata_tags, &change.instance_metadata_tags);
    }
}

/// A stopped instance takes its options up when it starts, and shows `pending` until then ("If the
/// state is `pending`, the instance is not ready to process metadata traffic with the new
/// selection", API reference, `InstanceMetadataOptionsResponse`).
pub const PENDING_UNTIL_START: u32 = u32::MAX;

/// An instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `i-...`
    pub id: String,
    /// `running`, `stopped`, ...
    pub run_state: String,
    /// The options.
    pub options: Options,
    /// How many more descriptions will say `pending`; [`PENDING_UNTIL_START`] for a stopped
    /// instance.
    pub pending: u32,
    /// What descriptions still show, and how many of them: EC2 is eventually consistent.
    pub stale: Option<(Options, u32)>,
    /// The image.
    pub image_id: String,
    /// `spot`, if it is one.
    pub lifecycle: Option<String>,
    /// The service that manages it.
    pub operator: Option<String>,
    /// Whether a plain listing leaves it out.
    pub hidden: bool,
    /// Seconds since 1970.
    pub launched_at: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// How often its options were changed.
    pub changes: u32,
    /// The name of its instance profile.
    pub profile: Option<String>,
    /// Its public IPv4 address.
    pub public_ip: Option<String>,
    /// The IPv6 address of its interface.
    pub ipv6: Option<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// `windows`, or nothing (API reference, `Instance`).
    pub platform: Option<String>,
    /// Whether descriptions leave `metadataOptions` out, as old exports do.
    pub without_options: bool,
}

impl Instance {
    /// A running instance.
    #[must_use]
    pub fn new(id: &str, options: Options) -> Self {
        Self {
            id: id.to_owned(),
            run_state: "running".to_owned(),
            options,
            pending: 0,
            stale: None,
            image_id: "ami-0000000000000001a".to_owned(),
            lifecycle: None,
            operator: None,
            hidden: false,
            launched_at: 1_700_000_000,
            tags: BTreeMap::new(),
            changes: 0,
            profile: None,
            public_ip: None,
            ipv6: None,
            security_groups: Vec::new(),
            platform: None,
            without_options: false,
        }
    }
}

/// An inbound rule: the protocol (`-1` for all), the ports, the range of addresses.
pub type Inbound = (String, Option<(i64, i64)>, String);

/// A launch template: versions count from 1.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// `lt-...`
    pub id: String,
    /// Its name.
    pub name: String,
    /// What each version sets, and its image.
    pub versions: Vec<(Options, Option<String>)>,
    /// The default version.
    pub default: usize,
    /// The client tokens that versions were made with.
    pub client_tokens: BTreeMap<String, usize>,
    /// The descriptions of versions that have one.
    pub descriptions: BTreeMap<usize, String>,
    /// Tags of the template itself.
    pub tags: BTreeMap<String, String>,
    /// Tags that it gives to instances.
    pub instance_tags: BTreeMap<String, String>,
    /// The user data of versions that have some, in base64.
    pub user_data: BTreeMap<usize, String>,
    /// Versions that were deleted: their numbers are not given again.
    pub deleted: BTreeSet<usize>,
}

impl Template {
    /// The highest version that there is.
    #[must_use]
    pub fn latest(&self) -> usize {
        (1..=self.versions.len()).rev().find(|number| !self.deleted.contains(number)).unwrap_or(0)
    }
}

/// What a mixed instances policy launches from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mixed {
    /// Template id and version.
    pub template: (String, String),
    /// Instance types, and the template and version of those that have their own.
    pub overrides: Vec<(String, Option<(String, String)>)>,
    /// `OnDemandPercentageAboveBaseCapacity`, if the policy says one.
    pub on_demand_percentage: Option<String>,
}

/// What a fleet request launches from: a template and version, or a launch specification, with an
/// image of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetLaunch {
    /// Template id and version; none for a launch specification, which only Spot Fleet has.
    pub template: Option<(String, String)>,
    /// The image of an override or of the launch specification.
    pub image: Option<String>,
}

/// An EC2 Fleet (`fleet-...`) or Spot Fleet (`sfr-...`) request.
#[derive(Clone, Debug, Default)]
pub struct FleetRequest {
    /// Its id.
    pub id: String,
    /// `active`, `deleted`, `cancelled_running`, ...
    pub state: String,
    /// `maintain`, `request` or `instant`.
    pub kind: String,
    /// What it launches from.
    pub launches: Vec<FleetLaunch>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Template id and version, if it uses one.
    pub template: Option<(String, String)>,
    /// Launch configuration, if it uses one.
    pub configuration: Option<String>,
    /// Mixed instances policy, if it uses one.
    pub mixed: Option<Mixed>,
    /// The instances of its warm pool and the lifecycle state of each, if it has one.
    pub warm_pool: Option<Vec<(String, String)>>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// How often it was updated.
    pub changes: u32,
}

/// An image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `ami-...`
    pub id: String,
    /// Whether the account owns it.
    pub own: bool,
    /// `v2.0`, if set.
    pub imds_support: Option<String>,
}

/// The defaults of an account in a Region.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The defaults.
    pub options: Options,
    /// `HttpTokensEnforced`
    pub enforced: bool,
    /// Whether `HttpTokensEnforced` was ever set: else nothing is said of it.
    pub enforced_set: bool,
    /// Whether the organization decides.
    pub declarative_policy: bool,
    /// How often they were changed.
    pub changes: u32,
}

/// What is in one account in one Region.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Instances, in listing order.
    pub instances: Vec<Instance>,
    /// Launch templates.
    pub templates: Vec<Template>,
    /// Auto Scaling groups.
    pub groups: Vec<Group>,
    /// EC2 Fleet requests.
    pub fleets: Vec<FleetRequest>,
    /// Spot Fleet requests.
    pub spot_fleets: Vec<FleetRequest>,
    /// Launch configurations: name, options, image.
    pub configurations: Vec<(String, Options, String)>,
    /// Images.
    pub images: Vec<Image>,
    /// Security groups: id to inbound rules, each protocol, ports and range.
    pub security_groups: BTreeMap<String, Vec<Inbound>>,
    /// Defaults.
    pub defaults: Defaults,
}

/// The fake AWS.
#[derive(Debug)]
pub struct World {
    /// The account of the caller's own key.
    pub home: String,
    /// All accounts of the organization; the state is `ACTIVE` unless it is in `suspended`.
    pub accounts: Vec<String>,
    /// Accounts that are suspended.
    pub suspended: BTreeSet<String>,
    /// Region names and whether they are opted in to.
    pub regions: Vec<(String, bool)>,
    /// What is where.
    pub places: BTreeMap<AccountRegion, Contents>,
    /// The external id that roles ask for.
    pub external_id: Option<String>,
    /// The device and the code that roles ask for (`aws:MultiFactorAuthPresent`).
    pub mfa: Option<(String, String)>,
    /// Accounts whose role may not be assumed.
    pub closed: BTreeSet<String>,
    /// How many descriptions say `pending` after a change.
    pub pending_descriptions: u32,
    /// How many descriptions show the old options after a change ("Eventual consistency in the
    /// Amazon EC2 API", EC2 Developer Guide).
    pub stale_descriptions: u32,
    /// The IAM actions that the caller is allowed, such as `ec2:DescribeInstances`; all of them
    /// unless set.
    pub allowed: Option<BTreeSet<String>>,
    /// Instances that are gone by the time their options are changed.
    pub vanishing: BTreeSet<String>,
    /// How many seconds old a sample must be before CloudWatch shows it: EC2 sends its metrics
    /// every one or five minutes, and they are there some minutes later.
    pub metrics_late: i64,
    /// The status of the metrics of an instance or group, where that is not `Complete` (API
    /// reference, `MetricDataResult`).
    pub metric_statuses: BTreeMap<String, String>,
    /// How many security groups a page holds at most; as many as are asked for unless set.
    pub security_group_page: Option<usize>,
    /// How many requests a page of fleets holds at most; as many as are asked for unless set.
    pub fleet_page: Option<usize>,
    /// How many results a page of `GetMetricData` holds; all unless set.
    pub metric_page: Option<usize>,
    /// What parameters of Systems Manager name, for images given as `resolve:ssm:NAME`.
    pub parameters: BTreeMap<String, String>,
    /// The content of the effective declarative policy for EC2 of accounts that have one.
    pub declared: BTreeMap<String, String>,
    /// The organizational units: parent to units, and unit or root to accounts.
    pub units: BTreeMap<String, (Vec<String>, Vec<String>)>,
    /// Samples of metrics: (instance, metric name) to (seconds since 1970, sum).
    pub metrics: BTreeMap<(String, String), Vec<(i64, f64)>>,
    /// How long every answer takes on its way.
    pub delay: std::time::Duration,
    /// How many requests were under way at the same time, at most.
    pub most_at_once: usize,
    /// What is to go wrong.
    pub faults: Vec<Fault>,
    /// The buckets.
    pub throttle: Throttle,
    /// How often what was called where.
    pub calls: BTreeMap<(AccountRegion, String), u64>,
    /// Every effective `ModifyInstanceMetadataOptions`: instance and what was sent.
    pub modified: Vec<(String, Options)>,
    /// Requests in all, answered or not.
    pub requests: u64,
}

impl World {
    /// An organization of one account, its own, with these Regions.
    #[must_use]
    pub fn new(home: &str, regions: &[&str]) -> Self {
        Self {
            home: home.to_owned(),
            accounts: vec![home.to_owned()],
            suspended: BTreeSet::new(),
            regions: regions.iter().map(|region| ((*region).to_owned(), true)).collect(),
            places: BTreeMap::new(),
            external_id: None,
            mfa: None,
            closed: BTreeSet::new(),
            pending_descriptions: 0,
            stale_descriptions: 0,
            allowed: None,
            vanishing: BTreeSet::new(),
            metrics_late: 0,
            metric_statuses: BTreeMap::new(),
            security_group_page: None,
            fleet_page: None,
            metric_page: None,
            parameters: BTreeMap::new(),
            declared: BTreeMap::new(),
            units: BTreeMap::new(),
            metrics: BTreeMap::new(),
            delay: std::time::Duration::ZERO,
            most_at_once: 0,
            faults: Vec::new(),
            throttle: Throttle::default(),
            calls: BTreeMap::new(),
            modified: Vec::new(),
            requests: 0,
        }
    }

    /// What is in a place.
    pub fn at(&mut self, account: &str, region: &str) -> &mut Contents {
        if !self.accounts.iter().any(|known| known == account) {
            self.accounts.push(account.to_owned());
        }
        self.places.entry((account.to_owned(), region.to_owned())).or_default()
    }

    /// An instance, wherever it is.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.places.values().flat_map(|contents| &contents.instances).find(|instance| instance.id == id)
    }

    /// An instance to change, wherever it is.
    pub fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.places
            .values_mut()
            .flat_map(|contents| &mut contents.instances)
            .find(|instance| instance.id == id)
    }

    /// How often an action was called, everywhere together.
    #[must_use]
    pub fn called(&self, action: &str) -> u64 {
        self.calls.iter().filter(|((_, name), _)| name == action).map(|(_, count)| count).sum()
    }
}
