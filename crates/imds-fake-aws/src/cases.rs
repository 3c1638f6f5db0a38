//! An account of cases whose truth is known: what tools that look for IMDSv1 are compared by.

use crate::fault::{Fault, Harm};
use crate::world::{
    FleetLaunch, FleetRequest, Group, Image, Instance, Options, PENDING_UNTIL_START, Template, World,
};

/// The account and Region of the cases.
pub const PLACE: (&str, &str) = ("111122223333", "eu-west-1");

/// What is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// IMDSv1 is answered, or will be by what is launched.
    V1,
    /// It is not.
    NoV1,
    /// It cannot be known from what the API says.
    Unknown,
    /// The instance is gone, and is no finding.
    Gone,
}

impl Truth {
    /// Its word in the list of cases.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::NoV1 => "no v1",
            Self::Unknown => "unknown",
            Self::Gone => "gone",
        }
    }
}

/// A case: the id of its resource, what it is, what is so.
#[derive(Clone, Copy, Debug)]
pub struct Case(pub &'static str, pub &'static str, pub Truth);

/// Every case, in the order of the table.
pub const CASES: [Case; 24] = [
    Case("i-optional", "instance, `HttpTokens` `optional`", Truth::V1),
    Case("i-required", "instance, `HttpTokens` `required`", Truth::NoV1),
    Case("i-disabled", "instance, `optional`, endpoint disabled", Truth::NoV1),
    Case("i-disabling", "instance, `optional`, disabling the endpoint is `pending`", Truth::V1),
    Case("i-pending", "instance, `required`, `State` `pending`", Truth::V1),
    Case("i-nothing", "instance without `MetadataOptions`", Truth::Unknown),
    Case("i-stopped", "stopped instance, `optional`", Truth::V1),
    Case("i-stoppedpending", "stopped instance, `required`, `pending` until it starts", Truth::NoV1),
    Case("i-terminated", "terminated instance, `optional`", Truth::Gone),
    Case("i-hops", "instance, `required`, hop limit 64", Truth::NoV1),
    Case("i-spot", "Spot Instance, `optional`", Truth::V1),
    Case("i-windows", "Windows instance, `optional`", Truth::V1),
    Case("i-managed", "instance that a service manages, `optional`", Truth::V1),
    Case("i-hidden", "the same, hidden from a plain listing", Truth::V1),
    Case("default", "account default without a preference", Truth::V1),
    Case("lt-0optional", "launch template, default version `optional`", Truth::V1),
    Case("lt-0required", "launch template, default version `required`", Truth::NoV1),
    Case("lt-0unset", "launch template that sets nothing", Truth::V1),
    Case("lt-0image", "launch template that sets nothing, image with `ImdsSupport` `v2.0`", Truth::NoV1),
    Case(
        "lt-0latest",
        "launch template, default `required`, a group follows `$Latest`, `optional`",
        Truth::V1,
    ),
    Case(
        "lt-0old",
        "launch template, default and `$Latest` `required`, version 1 unused, `optional`",
        Truth::NoV1,
    ),
    Case("config", "launch configuration that sets nothing", Truth::V1),
    Case("sfr-plain", "Spot Fleet request with a launch specification", Truth::V1),
    Case("denied", "second Region, where `DescribeInstances` is denied", Truth::Unknown),
];

/// The account.
#[must_use]
pub fn cases() -> World {
    let (account, region) = PLACE;
    let mut world = World::new(account, &[region, "eu-west-2"]);
    world.faults.push(Fault::always("DescribeInstances", Fault::denied()).at(account, "eu-west-2"));
    // What tools ask for besides is answered as EC2 answers who may not: they all go on.
    world.faults.push(
        Fault::always(
            "GetInstanceMetadataDefaults",
            Harm::Error(
                403,
                "UnauthorizedOperation".to_owned(),
                "You are not authorized to perform this operation.".to_owned(),
            ),
        )
        .at(account, "eu-west-2"),
    );
    let here = world.at(account, region);
    let mut add = |id: &str, tokens: &str, change: &dyn Fn(&mut Instance)| {
        let mut instance = Instance::new(id, Options::full(tokens, 1, "enabled", "disabled", "disabled"));
        instance.image_id = "ami-plain".to_owned();
        change(&mut instance);
        here.instances.push(instance);
    };
    let endpoint_off = |it: &mut Instance| it.options.http_endpoint = Some("disabled".to_owned());
    // So many descriptions that every tool finds it pending.
    let pending = 1_000_000;
    add("i-optional", "optional", &|_| {});
    add("i-required", "required", &|_| {});
    add("i-disabled", "optional", &endpoint_off);
    add("i-disabling", "optional", &|it| {
        endpoint_off(it);
        it.pending = pending;
    });
    add("i-pending", "required", &|it| it.pending = pending);
    add("i-nothing", "optional", &|it| it.without_options = true);
    add("i-stopped", "optional", &|it| it.run_state = "stopped".to_owned());
    add("i-stoppedpending", "required", &|it| {
        it.run_state = "stopped".to_owned();
        it.pending = PENDING_UNTIL_START;
    });
    add("i-terminated", "optional", &|it| it.run_state = "terminated".to_owned());
    add("i-hops", "required", &|it| it.options.http_put_response_hop_limit = Some(64));
    add("i-spot", "optional", &|it| it.lifecycle = Some("spot".to_owned()));
    add("i-windows", "optional", &|it| it.platform = Some("windows".to_owned()));
    let managed = |it: &mut Instance| it.operator = Some("eks.amazonaws.com".to_owned());
    add("i-managed", "optional", &managed);
    add("i-hidden", "optional", &|it| {
        managed(it);
        it.hidden = true;
    });
    let image = |id: &str, v2: bool| Image {
        id: id.to_owned(),
        own: true,
        imds_support: v2.then(|| "v2.0".to_owned()),
    };
    here.images = vec![image("ami-plain", false), image("ami-v2", true)];
    let set = |tokens: &str| Options { http_tokens: Some(tokens.to_owned()), ..Options::default() };
    let mut template =
        |id: &str, versions: Vec<Options>, default: usize, image: &str, follows: Option<&str>| {
            here.templates.push(Template {
                id: id.to_owned(),
                name: id.to_owned(),
                versions: versions.into_iter().map(|options| (options, Some(image.to_owned()))).collect(),
                default,
                ..Template::default()
            });
            here.groups.push(Group {
                name: format!("of-{id}"),
                template: Some((id.to_owned(), follows.unwrap_or("$Default").to_owned())),
                ..Group::default()
            });
        };
    template("lt-0optional", vec![set("optional")], 1, "ami-plain", None);
    template("lt-0required", vec![set("required")], 1, "ami-plain", None);
    template("lt-0unset", vec![Options::default()], 1, "ami-plain", None);
    template("lt-0image", vec![Options::default()], 1, "ami-v2", None);
    template("lt-0latest", vec![set("required"), set("optional")], 1, "ami-plain", Some("$Latest"));
    template("lt-0old", vec![set("optional"), set("required")], 2, "ami-plain", None);
    here.configurations.push(("config".to_owned(), Options::default(), "ami-plain".to_owned()));
    here.groups.push(Group {
        name: "of-config".to_owned(),
        configuration: Some("config".to_owned()),
        ..Group::default()
    });
    here.spot_fleets.push(FleetRequest {
        id: "sfr-plain".to_owned(),
        state: "active".to_owned(),
        kind: "maintain".to_owned(),
        launches: vec![FleetLaunch { template: None, image: Some("ami-plain".to_owned()) }],
        ..FleetRequest::default()
    });
    world
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_and_template_is_a_case() {
        let mut world = cases();
        let here = world.at(PLACE.0, PLACE.1);
        let ids = here.instances.iter().map(|it| &it.id).chain(here.templates.iter().map(|it| &it.id));
        for id in ids {
            assert!(CASES.iter().any(|Case(known, ..)| known == id), "{id}");
        }
    }
}
