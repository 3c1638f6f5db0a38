//! CSV as Steampipe writes it: a row per instance, objects as JSON in their columns.

use std::io::Read;

use serde_json::{Map, Value};

use super::document::{Part, Sink};
use super::foreign;
use crate::error::Error;

/// Whether a first line is the head of such a table.
pub(super) fn is_head(line: &str) -> bool {
    let mut columns = line.split(',').map(|column| column.trim().trim_matches('"'));
    columns.any(|column| column == "instance_id")
}

/// Reads a table and hands on its rows.
///
/// # Errors
///
/// Returns those of `to`.
pub(super) fn read(from: impl Read, region: Option<&str>, to: &mut Sink<'_>) -> Result<(), Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
    let head = match reader.headers() {
        Ok(head) => head.clone(),
        Err(error) => return to(Part::Unreadable(format!("its first line cannot be read: {error}"))),
    };
    if !head.iter().any(|column| column == "metadata_options") {
        let why = "it has no column `metadata_options`: select it, too";
        to(Part::Unreadable(why.to_owned()))?;
    }
    for (number, row) in reader.records().enumerate() {
        let read = row.map_err(|error| error.to_string()).and_then(|row| {
            if row.len() != head.len() {
                return Err(format!("{} of {} columns", row.len(), head.len()));
            }
            let cells = head.iter().zip(row.iter());
            let map: Map<String, Value> =
                cells.map(|(column, cell)| (column.to_owned(), Value::String(cell.to_owned()))).collect();
            foreign::steampipe(&map, region)
        });
        match read {
            Ok(Some(resource)) => to(Part::Resource(resource))?,
            Ok(None) => {}
            Err(why) => to(Part::Unreadable(format!("row {}: {why}", number + 1)))?,
        }
    }
    Ok(())
}
