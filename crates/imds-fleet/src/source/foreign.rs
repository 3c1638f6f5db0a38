//! What other tools write about an instance or a launch template, one value at a time: AWS Config,
//! Steampipe, Terraform, `describe-launch-template-versions`, and this program itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::instance_json::{InstanceJson, OptionsJson, TagJson};
use crate::inventory::effective::{Effective, Origin};
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountRegion, Instance, LaunchTemplate, Resource, Scan};

/// The keys that tell what an object is, and those of them that are needed when it stands alone.
pub(super) const KEYS: [&str; 40] = [
    "InstanceId",
    "OwnerId",
    "State",
    "Placement",
    "MetadataOptions",
    "Tags",
    "LaunchTime",
    "ImageId",
    "InstanceType",
    "InstanceLifecycle",
    "Operator",
    "Instances",
    "resourceType",
    "resourceId",
    "accountId",
    "awsAccountId",
    "awsRegion",
    "configuration",
    "configurationItemStatus",
    "tags",
    "instance_id",
    "account_id",
    "region",
    "metadata_options",
    "instance_state",
    "instance_type",
    "image_id",
    "launch_time",
    "instance_lifecycle",
    "title",
    "LaunchTemplateId",
    "LaunchTemplateName",
    "VersionNumber",
    "DefaultVersion",
    "LaunchTemplateData",
    "kind",
    "values",
    "mode",
    "type",
    "instances",
];

/// What a value is.
#[derive(Debug)]
pub(super) enum Found {
    /// Instances or templates.
    Resources(Vec<Resource>),
    /// How an earlier scan ended.
    Scan(Scan),
    /// Something that says nothing of the fleet.
    Other,
    /// Something that should, and cannot be read.
    Unreadable(String),
}

/// Reads a value. `region` stands in where it does not say.
pub(super) fn read(value: Value, region: Option<&str>) -> Found {
    let Value::Object(map) = &value else {
        return Found::Unreadable("a value that is no object".to_owned());
    };
    let has = |key: &str| map.contains_key(key);
    let read = if has("kind") {
        ours(value)
    } else if has("configuration") || has("resourceType") {
        config_item(value)
    } else if has("instance_id") {
        steampipe(map, region).map(one)
    } else if has("LaunchTemplateData") {
        template_version(value, region).map(one)
    } else if has("mode") && has("type") {
        terraform_state(map)
    } else if has("values") {
        let mut found = Vec::new();
        match map.get("values").and_then(|values| values.get("root_module")) {
            Some(module) => terraform_module(module, 0, &mut found).map(|()| Found::Resources(found)),
            None => return Found::Other,
        }
    } else {
        return Found::Other;
    };
    read.unwrap_or_else(Found::Unreadable)
}

fn one(resource: Option<Resource>) -> Found {
    Found::Resources(resource.into_iter().collect())
}

/// A line or an element of what `state` writes.
fn ours(value: Value) -> Result<Found, String> {
    if value.get("kind").and_then(Value::as_str) == Some("scan") {
        let scan =
            serde_json::from_value(value).map_err(|error| format!("a scan cannot be read: {error}"))?;
        return Ok(Found::Scan(scan));
    }
    let resource =
        serde_json::from_value(value).map_err(|error| format!("a resource cannot be read: {error}"))?;
    Ok(Found::Resources(vec![resource]))
}

/// A configuration item of AWS Config, or a row of an advanced query.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default)]
    resource_type: Option<String>,
    #[serde(default)]
    resource_id: Option<String>,
    #[serde(default, alias = "accountId")]
    aws_account_id: Option<String>,
    #[serde(default)]
    aws_region: Option<String>,
    #[serde(default)]
    configuration_item_status: Option<String>,
    #[serde(default)]
    configuration: Value,
    #[serde(default)]
    tags: Value,
}

fn config_item(value: Value) -> Result<Found, String> {
    let item: Item =
        serde_json::from_value(value).map_err(|error| format!("an item cannot be read: {error}"))?;
    let deleted = item.configuration_item_status.as_deref().is_some_and(|it| it.contains("Deleted"));
    if item.resource_type.as_deref().is_some_and(|it| it != "AWS::EC2::Instance") || deleted {
        return Ok(Found::Resources(Vec::new()));
    }
    let id = item.resource_id.unwrap_or_default();
    let cannot = |error: serde_json::Error| format!("instance `{id}` cannot be read: {error}");
    // A snapshot holds an object; a history item, its text.
    let instance: InstanceJson = match item.configuration {
        Value::String(text) => serde_json::from_str(&text).map_err(cannot)?,
        value => serde_json::from_value(value).map_err(cannot)?,
    };
    let place = AccountRegion {
        account: item.aws_account_id.unwrap_or_else(|| "unknown".to_owned()),
        region: item.aws_region.or_else(|| instance.region()).unwrap_or_else(|| "unknown".to_owned()),
    };
    // A query has the tags beside the configuration, as a list; an item has them in it, and beside
    // it a map.
    let more = serde_json::from_value::<Vec<TagJson>>(item.tags).unwrap_or_default();
    let known = Some(id.clone()).filter(|id| !id.is_empty());
    Ok(one(instance.into_instance(place, known, more)?.map(|it| Resource::Instance(Box::new(it)))))
}

/// A row of Steampipe's table `aws_ec2_instance`, as JSON or from CSV (where objects are text).
pub(super) fn steampipe(row: &Map<String, Value>, region: Option<&str>) -> Result<Option<Resource>, String> {
    let text = |key: &str| row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let object = |key: &str| match row.get(key) {
        Some(Value::String(text)) if !text.is_empty() => serde_json::from_str::<Value>(text)
            .map_err(|error| format!("column `{key}` cannot be read: {error}")),
        Some(value) => Ok(value.clone()),
        None => Ok(Value::Null),
    };
    let Some(id) = text("instance_id") else { return Err("a row without `instance_id`".to_owned()) };
    let run_state = text("instance_state").unwrap_or("unknown").to_owned();
    if run_state == "terminated" {
        return Ok(None);
    }
    let options = match object("metadata_options")? {
        Value::Null | Value::String(_) => OptionsJson::default(),
        value => serde_json::from_value::<OptionsJson>(value)
            .map_err(|error| format!("`metadata_options` of `{id}` cannot be read: {error}"))?,
    };
    let (options, options_state) = options.options();
    let tags = tags_of(&object("tags")?);
    let mut instance = Instance {
        place: AccountRegion {
            account: text("account_id").unwrap_or("unknown").to_owned(),
            region: text("region").or(region).unwrap_or("unknown").to_owned(),
        },
        id: id.to_owned(),
        name: tags.get("Name").cloned(),
        run_state,
        posture: Posture::of(&options, options_state),
        options,
        options_state,
        instance_type: text("instance_type").map(str::to_owned),
        image_id: text("image_id").map(str::to_owned),
        launched_at: text("launch_time")
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .map(jiff::Timestamp::as_second),
        lifecycle: text("instance_lifecycle").map(str::to_owned),
        auto_scaling_group: tags.get("aws:autoscaling:groupName").cloned(),
        operator: None,
        hidden: false,
        tags,
        exposure: None,
        risk: None,
    };
    instance.assess();
    Ok(Some(Resource::Instance(Box::new(instance))))
}

fn tags_of(tags: &Value) -> BTreeMap<String, String> {
    let Value::Object(map) = tags else { return BTreeMap::new() };
    map.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// A version of `describe-launch-template-versions`. Which groups launch from it, the account
/// defaults and the image are not said there, and the default version alone is what launches use
/// unless told.
fn template_version(value: Value, region: Option<&str>) -> Result<Option<Resource>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        launch_template_id: String,
        #[serde(default)]
        launch_template_name: Option<String>,
        version_number: i64,
        #[serde(default)]
        default_version: bool,
        launch_template_data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Data {
        #[serde(default)]
        image_id: Option<String>,
        #[serde(default)]
        metadata_options: Option<OptionsJson>,
    }
    let it: Version = serde_json::from_value(value)
        .map_err(|error| format!("a launch template version cannot be read: {error}"))?;
    let options = it.launch_template_data.metadata_options.map_or(Options::NONE, |it| it.options().0);
    let place =
        AccountRegion { account: "unknown".to_owned(), region: region.unwrap_or("unknown").to_owned() };
    let id = (it.launch_template_id, it.launch_template_name);
    let image = it.launch_template_data.image_id;
    Ok(it.default_version.then(|| template(place, id, it.version_number, options, image)))
}

fn template(
    place: AccountRegion,
    (id, name): (String, Option<String>),
    version: i64,
    options: Options,
    image_id: Option<String>,
) -> Resource {
    let effective = Effective::of(&options, &Options::NONE, false);
    let mut assumed = Vec::new();
    if effective.http_tokens.from != Origin::Launch {
        assumed.push("no account default: the file does not hold it".to_owned());
        assumed.push("an image without `ImdsSupport`: the file does not hold it".to_owned());
    }
    Resource::LaunchTemplate(Box::new(LaunchTemplate {
        place,
        id,
        name,
        version,
        is_default: true,
        used_by: Vec::new(),
        pinned_by: Vec::new(),
        latest_of: Vec::new(),
        fleets: Vec::new(),
        launched: 0,
        user_data: None,
        options,
        image_id,
        operator: None,
        owner: None,
        users_unknown: true,
        instance_tags: Vec::new(),
        enforced: false,
        effective,
        assumed,
    }))
}

/// A resource of a Terraform state file, which has several instances where it is counted.
fn terraform_state(map: &Map<String, Value>) -> Result<Found, String> {
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    let managed = map.get("mode").and_then(Value::as_str) == Some("managed");
    if !managed || !matches!(kind, "aws_instance" | "aws_launch_template") {
        return Ok(Found::Resources(Vec::new()));
    }
    let instances = map.get("instances").and_then(Value::as_array);
    let Some(instances) = instances else { return Err(format!("a `{kind}` without instances")) };
    let mut found = Vec::new();
    for instance in instances {
        let attributes = instance.get("attributes").and_then(Value::as_object);
        let Some(attributes) = attributes else { return Err(format!("a `{kind}` without attributes")) };
        found.extend(terraform(kind, attributes)?);
    }
    Ok(Found::Resources(found))
}

/// A module of `terraform show -json`, and those within it.
fn terraform_module(module: &Value, depth: usize, found: &mut Vec<Resource>) -> Result<(), String> {
    if depth > 64 {
        return Err("modules within modules, too deep".to_owned());
    }
    for resource in module.get("resources").and_then(Value::as_array).into_iter().flatten() {
        let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
        let managed = resource.get("mode").and_then(Value::as_str) == Some("managed");
        if managed
            && matches!(kind, "aws_instance" | "aws_launch_template")
            && let Some(values) = resource.get("values").and_then(Value::as_object)
        {
            found.extend(terraform(kind, values)?);
        }
    }
    let children = module.get("child_modules").and_then(Value::as_array);
    children.into_iter().flatten().try_for_each(|child| terraform_module(child, depth + 1, found))
}

fn terraform(kind: &str, values: &Map<String, Value>) -> Result<Option<Resource>, String> {
    let text = |key: &str| values.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(id) = text("id") else { return Err(format!("a `{kind}` without an id")) };
    // arn:PARTITION:ec2:REGION:ACCOUNT:instance/ID
    let mut arn = text("arn").unwrap_or_default().split(':').skip(3);
    let mut part = || arn.next().filter(|part| !part.is_empty()).unwrap_or("unknown").to_owned();
    let (region, account) = (part(), part());
    let place = AccountRegion { account, region };
    let options = match values.get("metadata_options").and_then(|it| it.get(0)) {
        Some(value) => {
            serde_json::from_value::<OptionsJson>(value.clone())
                .map_err(|error| format!("`metadata_options` of `{id}` cannot be read: {error}"))?
                .options()
                .0
        }
        None => Options::NONE,
    };
    if kind == "aws_launch_template" {
        let version = values.get("default_version").and_then(Value::as_i64).unwrap_or(1);
        let latest = values.get("latest_version").and_then(Value::as_i64).unwrap_or(version);
        if latest != version {
            // The attributes are those of the latest version.
            return Err(format!(
                "`{id}`: the file holds version {latest}, and the default is version {version}"
            ));
        }
        let (name, image) = (text("name").map(str::to_owned), text("image_id").map(str::to_owned));
        return Ok(Some(template(place, (id.to_owned(), name), version, options, image)));
    }
    let run_state = text("instance_state").unwrap_or("unknown").to_owned();
    if run_state == "terminated" {
        return Ok(None);
    }
    let tags = tags_of(values.get("tags_all").or(values.get("tags")).unwrap_or(&Value::Null));
    let mut instance = Instance {
        place,
        id: id.to_owned(),
        name: tags.get("Name").cloned(),
        run_state,
        posture: Posture::of(&options, None),
        options,
        options_state: None,
        instance_type: text("instance_type").map(str::to_owned),
        image_id: text("ami").map(str::to_owned),
        launched_at: None,
        lifecycle: text("instance_lifecycle").map(str::to_owned),
        auto_scaling_group: tags.get("aws:autoscaling:groupName").cloned(),
        operator: None,
        hidden: false,
        tags,
        exposure: None,
        risk: None,
    };
    instance.assess();
    Ok(Some(Resource::Instance(Box::new(instance))))
}
