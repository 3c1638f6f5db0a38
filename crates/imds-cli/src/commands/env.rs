//! `imds env`: values as lines that shells and systemd read.

use clap::Args as ClapArgs;
use serde_json::{Map, Value};

use crate::connection::ConnectionArgs;
use crate::output::{self, Format};
use crate::render::env;
use crate::report::Failure;
use crate::variables::VariableArgs;

/// Print values as lines of NAME="value"
///
/// `sh`, `bash`, `zsh` and the `EnvironmentFile=` of systemd all read the lines as the same values,
/// whatever these hold. `eval "$(imds env placement/region)"` sets `PLACEMENT_REGION`.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Paths or short names such as `region` to read, as PATH or NAME=PATH; a directory stands for
    /// every value below it
    #[arg(value_name = "[NAME=]PATH")]
    words: Vec<String>,

    /// Put `export` in front of each line, which systemd does not know
    #[arg(long)]
    export: bool,

    #[command(flatten)]
    variables: VariableArgs,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut text = String::new();
    let variables = args.variables.read(&args.connection.client()?, &args.words, ("env", ""))?;
    if args.output == Format::Json {
        let mut object = Map::new();
        for variable in &variables {
            let value = env::checked(&variable.leaf.path, &variable.leaf.value)?;
            object.insert(variable.name.clone(), value.into());
        }
        return output::document(&format!("{:#}\n", Value::Object(object)));
    }
    for variable in variables {
        text.push_str(if args.export { "export " } else { "" });
        text.push_str(&env::line(&variable.name, &variable.leaf.path, &variable.leaf.value)?);
    }
    output::text(&text)
}
