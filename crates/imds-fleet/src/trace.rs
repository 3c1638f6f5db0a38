//! Reads what `imds-trace` wrote on the instances: which process still uses IMDSv1.
//!
//! `docs/trace.md` describes the lines. What is damaged or cut off is named, and the trace is not
//! taken for complete.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::source::input;

/// The format of a trace that is known here.
const FORMAT: u64 = 1;
/// The longest line that is read: a command line is cut far below that.
const LINE: u64 = 1 << 20;
/// How many problems of a file are named one by one.
const NAMED: usize = 20;

/// A program on an instance that used IMDSv1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedCaller {
    /// The name of the process, or the path of its executable.
    pub program: String,
    /// The systemd unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The container, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The pod, with its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Requests without a session token.
    pub requests: u64,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<jiff::Timestamp>,
}

impl TracedCaller {
    /// Who it is, in a few words.
    #[must_use]
    pub fn label(&self) -> String {
        let within = [("pod", &self.pod), ("container", &self.container), ("unit", &self.unit)];
        let within =
            within.into_iter().find_map(|(kind, name)| Some(format!(" ({kind} {})", name.as_ref()?)));
        format!("{}{}", self.program, within.unwrap_or_default())
    }
}

/// What the traces hold.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    instances: BTreeMap<String, Vec<TracedCaller>>,
    /// What keeps them from being the whole truth.
    pub gaps: Vec<String>,
}

impl Traces {
    /// Reads all of these files.
    ///
    /// # Errors
    ///
    /// Returns an error if one cannot be opened, or is no trace of a known format.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut traces = Self::default();
        for path in paths {
            traces.file(path)?;
        }
        for callers in traces.instances.values_mut() {
            callers.sort_by(|a, b| (b.requests, &a.program).cmp(&(a.requests, &b.program)));
        }
        Ok(traces)
    }

    /// The callers that used IMDSv1 on an instance; nothing where there is no trace of it.
    #[must_use]
    pub fn of(&self, instance: &str) -> Option<&[TracedCaller]> {
        self.instances.get(instance).map(Vec::as_slice)
    }

    /// The instances that there are traces of.
    pub fn instances(&self) -> impl Iterator<Item = &str> {
        self.instances.keys().map(String::as_str)
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let mut reader = input::open(path)?;
        let mut file = File { shown: path.display().to_string(), ..File::default() };
        let mut bytes = Vec::new();
        for number in 1_u64.. {
            bytes.clear();
            let read = (&mut reader).take(LINE).read_until(b'\n', &mut bytes);
            if read.map_err(|source| Error::file(path, source))? == 0 {
                break;
            }
            if !bytes.ends_with(b"\n") && bytes.len() as u64 == LINE {
                file.problem(number, "longer than a trace writes it");
                skip_line(&mut reader).map_err(|source| Error::file(path, source))?;
                continue;
            }
            let line = bytes.trim_ascii();
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Value>(line) {
                Ok(value) => self.line(&mut file, number, &value)?,
                Err(error) => file.problem(number, &format!("not JSON: {error}")),
            }
        }
        self.gaps.extend(file.finish()?);
        Ok(())
    }

    fn line(&mut self, file: &mut File, number: u64, value: &Value) -> Result<(), Error> {
        let Some(kind) = value.get("type").and_then(Value::as_str) else {
            file.problem(number, "it has no `type`: it is no line of a trace");
            return Ok(());
        };
        match kind {
            "start" => {
                let format = value.get("format").and_then(Value::as_u64);
                if format != Some(FORMAT) {
                    let is = format.map_or_else(|| "missing".to_owned(), |format| format.to_string());
                    return Err(Error::Input(format!(
                        "trace `{}`, line {number}: its format is {is}, this program reads {FORMAT}",
                        file.shown
                    )));
                }
                file.started(number, value);
                if let Some(id) = &file.instance {
                    self.instances.entry(id.clone()).or_default();
                }
            }
            "request" => {
                let v1 = value.get("kind").and_then(Value::as_str) == Some("v1");
                self.add(file, number, value, u64::from(v1), "time");
            }
            "caller" => match value.get("v1").and_then(Value::as_u64) {
                Some(v1) => self.add(file, number, value, v1, "last"),
                None => file.problem(number, "it has no count `v1`"),
            },
            "end" => file.ended(value),
            // `counts`, and what later versions may write.
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, file: &mut File, number: u64, value: &Value, requests: u64, time: &str) {
        if requests == 0 {
            return;
        }
        let Some(id) = file.instance.clone() else {
            file.homeless += requests;
            return;
        };
        let Some(caller) = value.get("caller").filter(|caller| caller.is_object()) else {
            file.problem(number, "it has no `caller`");
            return;
        };
        let last = value.get(time).and_then(Value::as_str).and_then(|text| text.parse().ok());
        let new = caller_of(caller, requests, last);
        let callers = self.instances.entry(id).or_default();
        let same = |it: &&mut TracedCaller| {
            (&it.program, &it.unit, &it.container, &it.pod, &it.user)
                == (&new.program, &new.unit, &new.container, &new.pod, &new.user)
        };
        match callers.iter_mut().find(same) {
            Some(known) => {
                known.requests = known.requests.saturating_add(requests);
                known.last = known.last.max(new.last);
            }
            None => callers.push(new),
        }
    }
}

fn caller_of(caller: &Value, requests: u64, last: Option<jiff::Timestamp>) -> TracedCaller {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let inner = |key: &str, names: [&str; 2]| {
        let object = caller.get(key)?;
        names.iter().find_map(|name| text(object, name))
    };
    let pod = inner("pod", ["name", "uid"]).map(|name| match inner("pod", ["namespace", "namespace"]) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    });
    TracedCaller {
        program: text(caller, "name")
            .or_else(|| text(caller, "executable"))
            .unwrap_or_else(|| "unknown process".to_owned()),
        unit: text(caller, "unit"),
        container: inner("container", ["name", "id"]),
        pod,
        user: text(caller, "user"),
        requests,
        last,
    }
}

/// Reads to the end of a line that is too long.
fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let read = end.map_or(buffer.len(), |at| at + 1);
        reader.consume(read);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// A file while it is read: several traces may follow each other in it.
#[derive(Debug, Default)]
struct File {
    shown: String,
    /// The instance of the trace that is read now.
    instance: Option<String>,
    starts: u64,
    ends: u64,
    damaged: usize,
    problems: Vec<String>,
    /// Requests of a trace that does not say whose it is.
    homeless: u64,
    lost: u64,
    unreadable: u64,
}

impl File {
    fn problem(&mut self, number: u64, what: &str) {
        self.damaged += 1;
        if self.problems.len() < NAMED {
            self.problems.push(format!("trace `{}`, line {number}: {what}", self.shown));
        }
    }

    fn started(&mut self, number: u64, value: &Value) {
        self.starts += 1;
        self.instance = value.get("instance_id").and_then(Value::as_str).map(str::to_owned);
        if self.instance.is_none() {
            let host = value.get("host").and_then(Value::as_str).unwrap_or("unknown");
            let host = imds_model::printable::brief(host);
            self.problems.push(format!(
                "trace `{}`, line {number}: host `{host}` has no instance id: trace with `--instance-id`",
                self.shown
            ));
        }
    }

    fn ended(&mut self, value: &Value) {
        self.ends += 1;
        let count = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
        if let Some(lost) = value.get("lost") {
            self.lost +=
                ["connects", "requests", "answers", "ends"].iter().map(|key| count(lost, key)).sum::<u64>();
        }
        self.unreadable += count(value, "unreadable");
    }

    /// What keeps the file from being the whole truth.
    fn finish(mut self) -> Result<Vec<String>, Error> {
        if self.starts == 0 && self.ends == 0 && self.damaged > 0 {
            let first = self.problems.first().cloned().unwrap_or_default();
            return Err(Error::Input(format!("`{}` is no trace of `imds-trace`: {first}", self.shown)));
        }
        let more = self.damaged.saturating_sub(NAMED);
        let shown = &self.shown;
        let cut = self.starts.saturating_sub(self.ends);
        for (count, what) in [
            (u64::try_from(more).unwrap_or(u64::MAX), "more lines are damaged"),
            (u64::from(self.starts == 0), "first line is missing: its beginning was cut off"),
            (cut, "of its traces have no end: they were cut off"),
            (self.homeless, "requests by IMDSv1 are of no known instance"),
            (self.lost, "events were lost"),
            (self.unreadable, "requests could not be read"),
        ] {
            if count > 0 {
                self.problems.push(format!("trace `{shown}`: {count} {what}"));
            }
        }
        Ok(self.problems)
    }
}
