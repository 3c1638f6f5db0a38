//! One JSON document, read as it comes: whatever the size of the file, no more than one reservation of it is held at a
//! time, and of a reservation that names its owner first, one instance.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::instance_json::InstanceJson;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Instance, Resource, Scan};

/// Takes what a document holds.
type Sink<'a> = dyn FnMut(Part) -> Result<(), Error> + 'a;

/// A part of a document.
#[derive(Debug)]
pub(super) enum Part {
    /// Something found.
    Resource(Resource),
    /// What an earlier scan could not read.
    Incomplete(Scan),
}

/// What came of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A document that says what the fleet holds.
    Known,
    /// JSON of some other kind.
    Unknown,
    /// No JSON document, or one that breaks off, with the reader's words for it.
    Broken(String),
}

/// Reads a document and hands on what it holds. `region` stands in where it does not say.
///
/// # Errors
///
/// Those of `to`.
pub(super) fn read(from: impl Read, region: Option<&str>, to: &mut Sink<'_>) -> Result<Kind, Error> {
    let mut state = State { region, to, known: false, failed: None };
    let mut json = serde_json::Deserializer::from_reader(from);
    let read = Document(&mut state).deserialize(&mut json).and_then(|()| {
        // Several documents one after the other are not one; but then JSON Lines may be what they are.
        json.end()
    });
    if let Some(error) = state.failed {
        return Err(error);
    }
    Ok(match read {
        Ok(()) if state.known => Kind::Known,
        Ok(()) => Kind::Unknown,
        Err(error) if !state.known && error.to_string().starts_with("trailing characters") => Kind::Unknown,
        Err(error) => Kind::Broken(error.to_string()),
    })
}

struct State<'a, 'b> {
    region: Option<&'a str>,
    to: &'a mut Sink<'b>,
    known: bool,
    failed: Option<Error>,
}

impl State<'_, '_> {
    /// Hands on a part. A failure there ends the reading; serde knows only errors of its own, so it waits here.
    fn hand_on<E: serde::de::Error>(&mut self, part: Part) -> Result<(), E> {
        (self.to)(part).map_err(|error| {
            self.failed = Some(error);
            E::custom("not taken")
        })
    }

    fn instance<E: serde::de::Error>(&mut self, account: &str, instance: InstanceJson) -> Result<(), E> {
        let region = instance.region().or(self.region.map(str::to_owned));
        let region = region.unwrap_or_else(|| "unknown".to_owned());
        let place = AccountRegion { account: account.to_owned(), region };
        self.found(instance.into_instance(place, None, Vec::new()))
    }

    fn found<E: serde::de::Error>(&mut self, instance: Option<Instance>) -> Result<(), E> {
        match instance {
            Some(instance) => self.hand_on(Part::Resource(Resource::Instance(Box::new(instance)))),
            None => Ok(()),
        }
    }
}

/// The outermost object.
struct Document<'s, 'a, 'b>(&'s mut State<'a, 'b>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Reservations" => {
                    state.known = true;
                    map.next_value_seed(Each { state: &mut *state, of: Of::Reservations })?;
                }
                "configurationItems" => {
                    state.known = true;
                    map.next_value_seed(Each { state: &mut *state, of: Of::ConfigurationItems })?;
                }
                "resources" => {
                    state.known = true;
                    map.next_value_seed(Each { state: &mut *state, of: Of::Resources })?;
                }
                "summary" => {
                    for scan in map.next_value::<Summary>()?.incomplete {
                        state.hand_on(Part::Incomplete(scan))?;
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A list, its elements handled one by one.
struct Each<'s, 'a, 'b, 'c> {
    state: &'s mut State<'a, 'b>,
    of: Of<'c>,
}

/// What the elements of a list are.
enum Of<'c> {
    Reservations,
    /// Of a reservation of this account.
    Instances(&'c str),
    ConfigurationItems,
    Resources,
}

impl<'de> DeserializeSeed<'de> for Each<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let state = self.state;
        loop {
            let more = match self.of {
                Of::Reservations => list.next_element_seed(Reservation(&mut *state))?,
                Of::Instances(account) => {
                    list.next_element()?.map(|instance| state.instance(account, instance)).transpose()?
                }
                Of::ConfigurationItems => {
                    list.next_element::<Item>()?.map(|item| state.found(item.instance())).transpose()?
                }
                Of::Resources => list
                    .next_element()?
                    .map(|resource| state.hand_on(Part::Resource(resource)))
                    .transpose()?,
            };
            if more.is_none() {
                return Ok(());
            }
        }
    }
}

/// A reservation of `describe-instances`: what was launched by one call.
struct Reservation<'s, 'a, 'b>(&'s mut State<'a, 'b>);

impl<'de> DeserializeSeed<'de> for Reservation<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reservation<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reservation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        let mut owner: Option<String> = None;
        // Tools that sort keys write the instances before their owner.
        let mut held: Vec<InstanceJson> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), &owner) {
                ("OwnerId", _) => owner = map.next_value()?,
                ("Instances", Some(account)) => {
                    map.next_value_seed(Each { state: &mut *state, of: Of::Instances(account) })?;
                }
                ("Instances", None) => held = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let account = owner.unwrap_or_else(|| "unknown".to_owned());
        held.into_iter().try_for_each(|instance| state.instance(&account, instance))
    }
}

/// A configuration item of AWS Config.
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

impl Item {
    fn instance(self) -> Option<Instance> {
        let deleted = self.configuration_item_status.as_deref().is_some_and(|it| it.contains("Deleted"));
        if self.resource_type != "AWS::EC2::Instance" || deleted {
            return None;
        }
        // A snapshot holds an object; a history item, its text.
        let instance = match self.configuration {
            serde_json::Value::String(text) => serde_json::from_str(&text).ok()?,
            value => serde_json::from_value::<InstanceJson>(value).ok()?,
        };
        let place = AccountRegion {
            account: self.aws_account_id.unwrap_or_else(|| "unknown".to_owned()),
            region: self.aws_region.or_else(|| instance.region()).unwrap_or_else(|| "unknown".to_owned()),
        };
        instance.into_instance(place, self.resource_id, Vec::new())
    }
}

/// The end of a document that `state` wrote.
#[derive(Debug, Deserialize)]
struct Summary {
    #[serde(default)]
    incomplete: Vec<Scan>,
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// Instances of a file.
    const ALL: usize = 10_000;
    /// What the reader takes at a time, in instances: its buffer is 8 KiB, and none of them is under 100 bytes.
    const AHEAD: usize = 8192 / 100;

    /// A file that is made up while it is read, and counts the instances that have left it.
    struct Made<F> {
        element: F,
        tail: &'static str,
        line: Vec<u8>,
        at: usize,
        made: Rc<Cell<usize>>,
    }

    impl<F: Fn(usize) -> String> Made<F> {
        fn new(head: &'static str, element: F, tail: &'static str) -> (Self, Rc<Cell<usize>>) {
            let made = Rc::new(Cell::new(0));
            (Self { element, tail, line: head.into(), at: 0, made: Rc::clone(&made) }, made)
        }
    }

    impl<F: Fn(usize) -> String> Read for Made<F> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            if self.at == self.line.len() {
                let n = self.made.get();
                let text = match n {
                    _ if n > ALL => return Ok(0),
                    ALL => self.tail.to_owned(),
                    0 => (self.element)(n),
                    _ => format!(",{}", (self.element)(n)),
                };
                self.made.set(n + 1);
                (self.line, self.at) = (text.into_bytes(), 0);
            }
            let size = to.len().min(self.line.len() - self.at);
            to[..size].copy_from_slice(&self.line[self.at..self.at + size]);
            self.at += size;
            Ok(size)
        }
    }

    /// Reads it and says how many instances were found, and how many at most had been read and not yet handed on.
    fn read_through<F: Fn(usize) -> String>((file, made): (Made<F>, Rc<Cell<usize>>)) -> (usize, usize) {
        let (mut found, mut held) = (0, 0);
        let kind = super::read(std::io::BufReader::new(file), Some("eu-west-1"), &mut |part| {
            assert!(matches!(part, Part::Resource(_)), "{part:?}");
            found += 1;
            held = held.max(made.get() - found);
            Ok(())
        });
        assert_eq!(kind.unwrap(), Kind::Known);
        (found, held)
    }

    fn instance(n: usize) -> String {
        format!(
            r#"{{"InstanceId":"i-{n:017x}","State":{{"Name":"running"}},"Tags":[{{"Key":"Name","Value":"web-{n}"}}],
            "MetadataOptions":{{"State":"applied","HttpTokens":"optional","HttpEndpoint":"enabled"}}}}"#
        )
    }

    #[test]
    fn reservations_are_held_one_at_a_time() {
        let owner_last =
            |n| format!(r#"{{"Groups":[],"Instances":[{}],"OwnerId":"111122223333"}}"#, instance(n));
        let (found, held) = read_through(Made::new(r#"{"Reservations":["#, owner_last, "]}"));
        assert_eq!(found, ALL);
        assert!(held <= AHEAD, "{held} instances held");
    }

    #[test]
    fn a_large_reservation_that_names_its_owner_first_is_not_held() {
        let head = r#"{"Reservations":[{"OwnerId":"111122223333","Instances":["#;
        let (found, held) = read_through(Made::new(head, instance, "]}]}"));
        assert_eq!(found, ALL);
        assert!(held <= AHEAD, "{held} instances held");
    }

    #[test]
    fn configuration_items_are_held_one_at_a_time() {
        let item = |n| {
            format!(
                r#"{{"resourceType":"AWS::EC2::Instance","resourceId":"i-{n:017x}","awsAccountId":"111122223333",
                "awsRegion":"eu-west-1","configuration":{{"metadataOptions":{{"httpTokens":"required"}}}}}}"#
            )
        };
        let head = r#"{"fileVersion":"1.0","configurationItems":["#;
        let (found, held) = read_through(Made::new(head, item, "]}"));
        assert_eq!(found, ALL);
        assert!(held <= AHEAD, "{held} instances held");
    }

    #[test]
    fn a_file_that_breaks_off_is_broken_and_a_failure_of_the_taker_is_its_own() {
        let text = format!(r#"{{"Reservations":[{{"OwnerId":"1","Instances":[{},"#, instance(1));
        let mut found = 0;
        let kind = read(text.as_bytes(), None, &mut |_| {
            found += 1;
            Ok(())
        });
        assert_eq!(found, 1);
        assert!(matches!(kind.unwrap(), Kind::Broken(why) if why.contains("EOF while parsing")));
        let error =
            read(text.as_bytes(), None, &mut |_| Err(Error::Input("no room".to_owned()))).unwrap_err();
        assert_eq!(error.to_string(), "no room");
    }
}
