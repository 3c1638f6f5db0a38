//! `imds user-data`: the user data, as they are or without their wrappings.

use clap::Args as ClapArgs;
use imds::MetadataPath;
use imds_model::{printable, well_known};
use serde_json::{Value, json};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::mime::{self, Part};
use crate::output::{self, Format};
use crate::report::Failure;
use crate::{decode, value};

/// Print the user data, byte for byte
///
/// An instance that was launched without user data has none, which is exit code 3.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Undo gzip and base64, however often they were applied
    #[arg(long)]
    decode: bool,

    /// List the MIME parts, or print the one of this number, name or type; implies `--decode`
    #[arg(long, value_name = "PART", num_args = 0..=1, default_missing_value = "")]
    part: Option<String>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    // All of them before a byte is printed: what is piped into a shell must not be half a script.
    let Some(data) = args.connection.client()?.user_data()? else {
        return Err(Failure::told(Exit::NotFound, "the instance was launched without user data"));
    };
    let data = if args.decode || args.part.is_some() { decode::unwrapped(data)? } else { data };
    let path = MetadataPath::from_static(well_known::USER_DATA);
    let Some(wanted) = &args.part else {
        if args.output == Format::Json {
            return output::document(&format!("{:#}\n", value::json_of(&path, &data)?));
        }
        return output::value(&data);
    };
    let parts = mime::parts(&data).ok_or_else(|| {
        Failure::told(Exit::Unexpected, format!("the value of `{}` has no MIME parts", well_known::USER_DATA))
    })?;
    if parts.len() > mime::MOST_PARTS {
        let message = format!("the user data have more than {} MIME parts", mime::MOST_PARTS);
        return Err(Failure::told(Exit::Unexpected, message));
    }
    if wanted.is_empty() {
        return match args.output {
            // Escaped already, but for our tabs.
            Format::Text => output::write(&[table(&parts).as_bytes()]),
            Format::Json => output::document(&format!("{:#}\n", list(&parts))),
        };
    }
    match find(&parts, wanted) {
        Some(part) => {
            let content = decode::unwrapped(part.content.clone())?;
            match args.output {
                Format::Text => output::value(&content),
                Format::Json => output::document(&format!("{:#}\n", value::json_of(&path, &content)?)),
            }
        }
        None => Err(Failure::told(Exit::NotFound, format!("the user data have no part `{wanted}`"))
            .hint("`--part` without a value lists the parts")),
    }
}

/// By number, counted from 1; else by name; else by type.
fn find<'p>(parts: &'p [Part], wanted: &str) -> Option<&'p Part> {
    let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    if let Some(number) = number {
        return parts.get(number);
    }
    let by_name = parts.iter().find(|part| part.name.as_deref() == Some(wanted));
    by_name.or_else(|| parts.iter().find(|part| part.content_type == wanted))
}

fn list(parts: &[Part]) -> Value {
    let entries = parts.iter().zip(1..).map(|(part, number)| {
        json!({
            "number": number,
            "type": part.content_type,
            "bytes": part.content.len(),
            "name": part.name,
        })
    });
    entries.collect()
}

fn table(parts: &[Part]) -> String {
    let lines = parts.iter().zip(1..).map(|(part, number)| {
        let name = part.name.as_deref().unwrap_or("-");
        let (content_type, name) = (printable::escape(&part.content_type), printable::escape(name));
        format!("{number}\t{content_type}\t{}\t{name}\n", part.content.len())
    });
    lines.collect()
}
