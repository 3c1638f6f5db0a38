//! Reads state from files, with no credentials: `aws ec2 describe-instances` output, AWS Config snapshots, and this
//! program's own JSON Lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;

use super::instance_json::{InstanceJson, TagJson};
use crate::checkpoint::{self, Line};
use crate::error::Error;
use crate::inventory::resource::{Place, Resource, Scan};
use crate::scan::Event;

/// What a file may hold.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(rename = "Reservations")]
    reservations: Option<Vec<Reservation>>,
    #[serde(rename = "configurationItems")]
    items: Option<Vec<Item>>,
    #[serde(rename = "schema_version")]
    schema_version: Option<u32>,
    resources: Option<Vec<Resource>>,
    summary: Option<Summary>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    #[serde(default)]
    incomplete: Vec<Scan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservation {
    #[serde(default)]
    owner_id: Option<String>,
    #[serde(default)]
    instances: Vec<InstanceJson>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    resource_type: String,
    #[serde(default)]
    resource_id: Option<String>,
    #[serde(default)]
    aws_account_id: Option<String>,
    #[serde(default)]
    aws_region: Option<String>,
    #[serde(default)]
    configuration_item_status: Option<String>,
    #[serde(default)]
    configuration: serde_json::Value,
}

/// Reads one file. `region` stands in where the file does not say.
///
/// # Errors
///
/// When it cannot be read or is none of the known kinds.
pub fn read(
    path: &Path,
    region: Option<&str>,
    to: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| Error::file(path, source))?;
    let document = match serde_json::from_reader::<_, Document>(BufReader::new(file)) {
        Ok(document) => document,
        // Several values, one a line: our own JSON Lines.
        Err(error) if error.to_string().starts_with("trailing characters") => return lines(path, to),
        Err(error) => {
            return Err(Error::Input(format!("`{}` is not a state file: {error}", path.display())));
        }
    };
    if document.schema_version.is_some() {
        let mut seen = BTreeMap::new();
        for resource in document.resources.unwrap_or_default() {
            *seen.entry(resource.place().clone()).or_insert(0) += u64::from(resource.kind() == "instance");
            to(Event::Found(vec![resource]))?;
        }
        for scan in document.summary.map(|summary| summary.incomplete).unwrap_or_default() {
            seen.remove(&scan.place);
            to(Event::Scanned(scan))?;
        }
        return ended(seen, to);
    }
    let instances: Vec<(Place, Option<String>, InstanceJson)> = match (document.reservations, document.items)
    {
        (Some(reservations), _) => reservations
            .into_iter()
            .flat_map(|reservation| {
                let account = reservation.owner_id.unwrap_or_else(|| "unknown".to_owned());
                reservation.instances.into_iter().map(move |instance| (account.clone(), instance))
            })
            .map(|(account, instance)| {
                let found = instance.region().or(region.map(str::to_owned));
                let region = found.unwrap_or_else(|| "unknown".to_owned());
                (Place { account, region }, None, instance)
            })
            .collect(),
        (None, Some(items)) => items.into_iter().filter_map(of_config).collect(),
        (None, None) => return lines(path, to),
    };
    let mut seen = BTreeMap::new();
    for (place, id, instance) in instances {
        if let Some(instance) = instance.into_instance(place.clone(), id, Vec::<TagJson>::new()) {
            *seen.entry(place).or_insert(0) += 1;
            to(Event::Found(vec![Resource::Instance(Box::new(instance))]))?;
        }
    }
    ended(seen, to)
}

fn of_config(item: Item) -> Option<(Place, Option<String>, InstanceJson)> {
    let deleted = item.configuration_item_status.as_deref().is_some_and(|status| status.contains("Deleted"));
    if item.resource_type != "AWS::EC2::Instance" || deleted {
        return None;
    }
    // A snapshot holds an object; a history item, its text.
    let instance = match item.configuration {
        serde_json::Value::String(text) => serde_json::from_str(&text).ok()?,
        value => serde_json::from_value::<InstanceJson>(value).ok()?,
    };
    let place = Place {
        account: item.aws_account_id.unwrap_or_else(|| "unknown".to_owned()),
        region: item.aws_region.or_else(|| instance.region()).unwrap_or_else(|| "unknown".to_owned()),
    };
    Some((place, item.resource_id, instance))
}

fn lines(path: &Path, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
    checkpoint::for_each(path, &mut |line| match line {
        Line::Resource(resource) => to(Event::Found(vec![resource])),
        Line::Scan(line) => to(Event::Scanned(line.scan)),
    })
}

fn ended(seen: BTreeMap<Place, u64>, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
    seen.into_iter()
        .try_for_each(|(place, instances)| to(Event::Scanned(Scan { place, instances, gaps: Vec::new() })))
}
