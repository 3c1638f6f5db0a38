//! A Parquet dataset, partitioned by account and Region: one file a place, shard and run, as the
//! query engines that people already run expect it.
//!
//! The partition keys are in the paths only; `account_id` and `region_name` are in the files, as
//! text: an engine that guesses the type of a key takes the zeros off the front of an account.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::flat::{self, COLUMNS, Row, Value};
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Scan};
use crate::scan::Event;

/// Rows that are held before they are written as a row group.
const GROUP: usize = 10_000;

/// Writes the dataset.
#[derive(Debug)]
pub struct Dataset {
    directory: PathBuf,
    name: String,
    snapshot: jiff::Timestamp,
    schema: TypePtr,
    parts: HashMap<AccountRegion, Part>,
}

/// The file of one place while it is written.
#[derive(Default)]
struct Part {
    rows: Vec<Row>,
    writer: Option<(SerializedFileWriter<File>, PathBuf, PathBuf)>,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Dataset {
    /// A dataset in this directory; `shard` and the time of the snapshot name its files.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema does not hold together.
    pub fn new(directory: &Path, shard: &str, snapshot: jiff::Timestamp) -> Result<Self, Error> {
        let name = format!("part-{}-{shard}.parquet", snapshot.strftime("%Y%m%dT%H%M%SZ"));
        let schema = schema().map_err(|error| failed(directory, error))?;
        Ok(Self { directory: directory.to_owned(), name, snapshot, schema, parts: HashMap::new() })
    }

    /// Takes in what was found.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be written.
    pub fn event(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::AccountRegions(_) | Event::NotLookedAt(_) => Ok(()),
            Event::Found(resources) => resources.iter().try_for_each(|resource| {
                let place = resource.place();
                let part = self.parts.entry(place.clone()).or_default();
                part.rows.push(flat::resource(resource));
                if part.rows.len() >= GROUP { self.flush(&place.clone()) } else { Ok(()) }
            }),
            Event::Scanned(scan) => self.scanned(scan),
        }
    }

    fn scanned(&mut self, scan: &Scan) -> Result<(), Error> {
        self.parts.entry(scan.place.clone()).or_default().rows.push(flat::scan(scan));
        self.flush(&scan.place)?;
        let Some(Part { writer: Some((writer, temporary, path)), .. }) = self.parts.remove(&scan.place)
        else {
            return Ok(());
        };
        writer.close().map_err(|error| failed(&path, error))?;
        // Under its name only once it is whole: an engine may be reading the directory.
        std::fs::rename(&temporary, &path).map_err(|source| Error::file(&path, source))
    }

    fn flush(&mut self, place: &AccountRegion) -> Result<(), Error> {
        let Some(part) = self.parts.get_mut(place) else { return Ok(()) };
        if part.writer.is_none() {
            // Where not even the Regions are known, one record stands for them all.
            let region = if place.region == "*" { "unknown" } else { &place.region };
            let directory =
                self.directory.join(format!("account={}", place.account)).join(format!("region={region}"));
            std::fs::create_dir_all(&directory).map_err(|source| Error::file(&directory, source))?;
            // Engines pass over names that start with a dot.
            let temporary = directory.join(format!(".{}", self.name));
            let path = directory.join(&self.name);
            let file = File::create(&temporary).map_err(|source| Error::file(&temporary, source))?;
            let properties =
                Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
            let writer = SerializedFileWriter::new(file, Arc::clone(&self.schema), properties)
                .map_err(|error| failed(&path, error))?;
            part.writer = Some((writer, temporary, path));
        }
        let Some((writer, _, path)) = &mut part.writer else { return Ok(()) };
        group(writer, &part.rows, self.snapshot.as_millisecond()).map_err(|error| failed(path, error))?;
        part.rows.clear();
        Ok(())
    }
}

fn failed(path: &Path, error: ParquetError) -> Error {
    Error::file(path, std::io::Error::other(error))
}

fn schema() -> Result<TypePtr, ParquetError> {
    let mut fields = vec![Arc::new(
        Type::primitive_type_builder("snapshot", Physical::INT64)
            .with_repetition(Repetition::REQUIRED)
            .with_converted_type(ConvertedType::TIMESTAMP_MILLIS)
            .build()?,
    )];
    for (name, kind) in COLUMNS {
        let builder = match kind {
            flat::Type::Text => Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
                .with_converted_type(ConvertedType::UTF8),
            flat::Type::Integer => Type::primitive_type_builder(name, Physical::INT64),
            flat::Type::Boolean => Type::primitive_type_builder(name, Physical::BOOLEAN),
        };
        fields.push(Arc::new(builder.with_repetition(Repetition::OPTIONAL).build()?));
    }
    Ok(Arc::new(Type::group_type_builder("imds_fleet").with_fields(fields).build()?))
}

fn group(writer: &mut SerializedFileWriter<File>, rows: &[Row], snapshot: i64) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    if let Some(mut column) = group.next_column()? {
        column.typed::<Int64Type>().write_batch(&vec![snapshot; rows.len()], None, None)?;
        column.close()?;
    }
    for (index, (_, kind)) in COLUMNS.iter().enumerate() {
        let Some(mut column) = group.next_column()? else { continue };
        let values: Vec<Option<&Value>> =
            rows.iter().map(|row| row.values().get(index).and_then(Option::as_ref)).collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        let present = values.into_iter().flatten();
        match kind {
            flat::Type::Text => {
                let texts: Vec<ByteArray> =
                    present.map(|value| ByteArray::from(value.to_string().into_bytes())).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?;
            }
            flat::Type::Integer => {
                let numbers: Vec<i64> = present
                    .map(|value| if let Value::Integer(number) = value { *number } else { 0 })
                    .collect();
                column.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)?;
            }
            flat::Type::Boolean => {
                let flags: Vec<bool> = present.map(|value| matches!(value, Value::Boolean(true))).collect();
                column.typed::<BoolType>().write_batch(&flags, Some(&levels), None)?;
            }
        }
        column.close()?;
    }
    group.close()?;
    Ok(())
}
