//! JSON documents, one or several one after the other, read as they stream in: whatever the size of
//! the file, no more than one reservation of it is held at a time, and of a reservation that names
//! its owner first, one instance.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::foreign::{self, Found};
use super::instance_json::InstanceJson;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Resource, Scan};

/// How deep lists may stand in lists: `Reservations[*].Instances[*]` is two.
const DEPTH: usize = 4;

/// Takes what a document holds.
pub(super) type Sink<'a> = dyn FnMut(Part) -> Result<(), Error> + 'a;

/// A part of a document.
#[derive(Debug)]
pub(super) enum Part {
    /// Something found.
    Resource(Resource),
    /// How an earlier scan ended.
    Scan(Scan),
    /// What could not be read, so that more may be there.
    Unreadable(String),
    /// How many instances the document says that it holds.
    Instances(u64),
}

/// What came of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A document that says what the fleet holds.
    Known,
    /// JSON of some other kind.
    Unknown,
    /// No JSON document, or one that breaks off, with the reader's words for it.
    Broken {
        /// The words.
        why: String,
        /// Whether something was read before.
        known: bool,
    },
}

/// Reads documents and hands on what they hold. `region` stands in where they do not say.
///
/// # Errors
///
/// Returns those of `to`.
pub(super) fn read(from: impl Read, region: Option<&str>, to: &mut Sink<'_>) -> Result<Kind, Error> {
    let mut state = State { region, to, known: false, failed: None };
    let mut json = serde_json::Deserializer::from_reader(from);
    // `end` consumes nothing but white space: what follows is the next document.
    let read = loop {
        let read = Node { state: &mut state, depth: 0 }.deserialize(&mut json);
        if read.is_err() || json.end().is_ok() {
            break read;
        }
    };
    if let Some(error) = state.failed {
        return Err(error);
    }
    Ok(match read {
        Ok(()) if state.known => Kind::Known,
        Ok(()) => Kind::Unknown,
        Err(error) => Kind::Broken { why: error.to_string(), known: state.known },
    })
}

struct State<'a, 'b> {
    region: Option<&'a str>,
    to: &'a mut Sink<'b>,
    known: bool,
    failed: Option<Error>,
}

impl State<'_, '_> {
    /// Hands on a part. A failure there ends the reading; serde knows only errors of its own, so it
    /// waits here.
    fn hand_on<E: serde::de::Error>(&mut self, part: Part) -> Result<(), E> {
        (self.to)(part).map_err(|error| {
            self.failed = Some(error);
            E::custom("not taken")
        })
    }

    /// Hands on an instance of `describe-instances`.
    fn instance<E: serde::de::Error>(&mut self, account: &str, value: Value) -> Result<(), E> {
        let read = serde_json::from_value::<InstanceJson>(value).map_err(|error| error.to_string());
        let read = read.and_then(|instance| {
            let region = instance.region().or(self.region.map(str::to_owned));
            let region = region.unwrap_or_else(|| "unknown".to_owned());
            let place = AccountRegion { account: account.to_owned(), region };
            instance.into_instance(place, None, Vec::new())
        });
        match read {
            Ok(Some(instance)) => self.hand_on(Part::Resource(Resource::Instance(Box::new(instance)))),
            Ok(None) => Ok(()),
            Err(why) => self.hand_on(Part::Unreadable(format!("an instance cannot be read: {why}"))),
        }
    }

    /// Hands on whatever a value is.
    fn value<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        if let Value::String(text) = &value
            && let Ok(inner) = serde_json::from_str::<Value>(text)
        {
            // `select-resource-config` writes each row as text.
            return self.value(inner);
        }
        if let Value::Object(map) = &value
            && map.contains_key("Instances")
        {
            let account = map.get("OwnerId").and_then(Value::as_str).unwrap_or("unknown").to_owned();
            self.known = true;
            let Value::Object(mut map) = value else { return Ok(()) };
            let Some(Value::Array(instances)) = map.remove("Instances") else {
                return self
                    .hand_on(Part::Unreadable("a reservation without a list of instances".to_owned()));
            };
            return instances.into_iter().try_for_each(|instance| self.instance(&account, instance));
        }
        if value.get("InstanceId").is_some() {
            self.known = true;
            let account = value.get("OwnerId").and_then(Value::as_str).unwrap_or("unknown").to_owned();
            return self.instance(&account, value);
        }
        match foreign::read(value, self.region) {
            Found::Resources(resources) => {
                self.known = true;
                resources.into_iter().try_for_each(|resource| self.hand_on(Part::Resource(resource)))
            }
            Found::Scan(scan) => self.hand_on(Part::Scan(scan)),
            Found::Other => Ok(()),
            Found::Unreadable(why) => self.hand_on(Part::Unreadable(why)),
        }
    }
}

/// A document, or a list within one.
struct Node<'s, 'a, 'b> {
    state: &'s mut State<'a, 'b>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.depth >= DEPTH {
            return Err(serde::de::Error::custom("lists within lists, too deep"));
        }
        let mut any = false;
        while list.next_element_seed(Element { state: &mut *self.state, depth: self.depth + 1 })?.is_some() {
            any = true;
        }
        // What a query selects may be nothing.
        if !any && self.depth == 0 {
            self.state.known = true;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut rest = serde_json::Map::new();
        let mut ours = (false, false);
        while let Some(key) = map.next_key::<String>()? {
            let of = match key.as_str() {
                "Reservations" => Of::Reservations,
                "configurationItems" | "resources" | "Results" | "LaunchTemplateVersions" | "rows" => {
                    Of::Values
                }
                "summary" => {
                    summary(state, map.next_value()?, &mut ours.1)?;
                    continue;
                }
                "NextToken" => {
                    if !map.next_value::<Value>()?.is_null() {
                        let why = "it ends with a `NextToken`: there are more pages than it holds";
                        state.hand_on(Part::Unreadable(why.to_owned()))?;
                    }
                    continue;
                }
                "schema_version" => {
                    ours.0 = true;
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                // Of one instance, one row or one item alone.
                other if foreign::KEYS.contains(&other) => {
                    rest.insert(key, map.next_value()?);
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            state.known = true;
            if map.next_value_seed(Each { state: &mut *state, of })? == Listed::Not {
                let why = format!("`{key}` is not a list");
                state.hand_on(Part::Unreadable(why))?;
            }
        }
        if ours == (true, false) {
            state.hand_on(Part::Unreadable("the summary at its end is missing".to_owned()))?;
        }
        if rest.is_empty() { Ok(()) } else { state.value(Value::Object(rest)) }
    }
}

fn summary<E: serde::de::Error>(state: &mut State<'_, '_>, summary: Value, seen: &mut bool) -> Result<(), E> {
    *seen = true;
    for scan in summary.get("incomplete").and_then(Value::as_array).into_iter().flatten() {
        match serde_json::from_value::<Scan>(scan.clone()) {
            Ok(scan) => state.hand_on(Part::Scan(scan))?,
            Err(error) => {
                state.hand_on(Part::Unreadable(format!("what it did not scan cannot be read: {error}")))?;
            }
        }
    }
    match summary.get("instances").and_then(Value::as_u64) {
        Some(instances) => state.hand_on(Part::Instances(instances)),
        None => Ok(()),
    }
}

/// An element of a list: another list, or something found.
struct Element<'s, 'a, 'b> {
    state: &'s mut State<'a, 'b>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        Node { state: self.state, depth: self.depth }.visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        // A list of whole documents, as `jq --slurp` makes it, holds each of them.
        Node { state: self.state, depth: self.depth }.visit_map(map)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.state.value(Value::String(text.to_owned()))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Whether a value was a list.
#[derive(PartialEq, Eq)]
enum Listed {
    Yes,
    Not,
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
    /// Whatever they are.
    Values,
}

impl<'de> DeserializeSeed<'de> for Each<'_, '_, '_, '_> {
    type Value = Listed;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Listed, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Each<'_, '_, '_, '_> {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Listed, E> {
        Ok(Listed::Yes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
        let state = self.state;
        loop {
            let more = match self.of {
                Of::Reservations => list.next_element_seed(Reservation(&mut *state))?,
                Of::Instances(account) => {
                    list.next_element()?.map(|value| state.instance(account, value)).transpose()?
                }
                Of::Values => list.next_element()?.map(|value| state.value(value)).transpose()?,
            };
            if more.is_none() {
                return Ok(Listed::Yes);
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
        let mut held: Vec<Value> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), &owner) {
                ("OwnerId", _) => owner = map.next_value()?,
                ("Instances", Some(account)) => {
                    map.next_value_seed(Each { state: &mut *state, of: Of::Instances(account) })?;
                }
                ("Instances", None) => held = map.next_value::<Option<Vec<Value>>>()?.unwrap_or_default(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let account = owner.unwrap_or_else(|| "unknown".to_owned());
        held.into_iter().try_for_each(|instance| state.instance(&account, instance))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// Instances of a file.
    const ALL: usize = 10_000;
    /// What the reader takes at a time, in instances: its buffer is 8 KiB, and none of them is
    /// under 100 bytes.
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

    /// Reads it and says how many instances were found, and how many at most had been read and not
    /// yet handed on.
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
        assert!(
            matches!(kind.unwrap(), Kind::Broken { why, known: true } if why.contains("EOF while parsing"))
        );
        let error =
            read(text.as_bytes(), None, &mut |_| Err(Error::Input("no room".to_owned()))).unwrap_err();
        assert_eq!(error.to_string(), "no room");
    }
}
