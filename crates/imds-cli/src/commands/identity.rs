//! `imds identity`: the instance identity document, and whether it is to be believed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use imds::{Clock as _, MetadataPath, SystemClock};
use imds_identity::{Certificate, Evidence, Rejection, SignatureKind, Trust, Verified, verify};
use imds_model::{printable, well_known};
use serde_json::json;

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::output::{self, Format};
use crate::report::Failure;
use crate::value;

/// Show or verify the instance identity document
///
/// Without an action the document is printed byte for byte, as it was signed.
#[derive(ClapArgs, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    show: ShowArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the document, byte for byte
    Show(ShowArgs),
    /// Verify the document's signature with AWS's certificate for its Region
    ///
    /// Without files, document and signature are read from the service. With the file of a
    /// signature nothing is asked of it, so that what another machine sent can be verified
    /// anywhere.
    Verify(VerifyArgs),
}

#[derive(ClapArgs, Debug)]
struct ShowArgs {
    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(ClapArgs, Debug)]
struct VerifyArgs {
    /// Verify this document; `-` is standard input
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// Verify with this `rsa2048` signature, which carries the document
    #[arg(long, value_name = "FILE", group = "from_file")]
    rsa2048: Option<PathBuf>,

    /// Verify with this `signature`; the document must be given too
    #[arg(long, value_name = "FILE", group = "from_file", requires = "document")]
    signature: Option<PathBuf>,

    /// Verify with this `pkcs7` signature, which carries the document
    #[arg(long, value_name = "FILE", group = "from_file")]
    pkcs7: Option<PathBuf>,

    /// Read this signature from the service: rsa2048, signature, or pkcs7
    #[arg(long, value_name = "KIND", default_value = "rsa2048", conflicts_with = "from_file")]
    kind: SignatureKind,

    /// Verify with this certificate, PEM or DER, instead of AWS's for the Region
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What is verified: a signature, and the document where it came separately.
struct Material {
    kind: SignatureKind,
    signature: Vec<u8>,
    document: Option<Vec<u8>>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        None => show(&args.show),
        Some(Action::Show(args)) => show(args),
        Some(Action::Verify(args)) => check(args),
    }
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let path = MetadataPath::from_static(well_known::IDENTITY_DOCUMENT);
    let document = args.connection.client()?.get(&path)?;
    match args.output {
        Format::Text => output::value(document.bytes()),
        Format::Json => output::document(&format!("{:#}\n", value::json_of(&path, document.bytes())?)),
    }
}

fn check(args: &VerifyArgs) -> Result<(), Failure> {
    let given = args.certificate.as_deref().map(certificate).transpose()?;
    let material = material(args)?;
    let evidence = Evidence {
        kind: material.kind,
        signature: &material.signature,
        document: material.document.as_deref(),
    };
    let trust = given.as_ref().map_or(Trust::Regions, Trust::Certificate);
    match (verify(&evidence, trust, SystemClock.wall()), args.output) {
        (Ok(verified), Format::Text) => output::text(&text(&verified)),
        (Ok(verified), Format::Json) => output::document(&format!("{:#}\n", json(&verified))),
        (Err(rejection), Format::Text) => Err(refused(&rejection)),
        (Err(rejection), Format::Json) => {
            let value = json!({
                "valid": false,
                "result": rejection.name(),
                "message": rejection.to_string(),
                "signature": material.kind.name(),
            });
            output::document(&format!("{value:#}\n"))?;
            Err(Failure::Printed(Exit::Unexpected))
        }
    }
}

fn material(args: &VerifyArgs) -> Result<Material, Failure> {
    let files = [
        (SignatureKind::Rsa2048, &args.rsa2048),
        (SignatureKind::Signature, &args.signature),
        (SignatureKind::Pkcs7, &args.pkcs7),
    ];
    let document = args.document.as_deref().map(read).transpose()?;
    for (kind, file) in files {
        if let Some(file) = file {
            return Ok(Material { kind, signature: read(file)?, document });
        }
    }
    if document.is_some() {
        return Err(Failure::usage("`--document` comes without a signature")
            .hint("give `--rsa2048 FILE`, `--signature FILE` or `--pkcs7 FILE` with it"));
    }
    let client = args.connection.client()?;
    let document = MetadataPath::from_static(well_known::IDENTITY_DOCUMENT);
    let signature = MetadataPath::from_static("/latest/dynamic/instance-identity/")
        .join(args.kind.name())
        .map_err(imds::Error::from)?;
    Ok(Material {
        kind: args.kind,
        signature: client.get(&signature)?.into_bytes(),
        document: Some(client.get(&document)?.into_bytes()),
    })
}

/// Largest file that is read. A document has under 1 KiB, a signature under 3 KiB.
const LARGEST_FILE: u64 = 1024 * 1024;

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
    };
    let failed = || Failure::usage(format!("cannot read `{}`", path.display()));
    result.map_err(|error| failed().caused_by(error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(failed().caused_by("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

fn certificate(path: &Path) -> Result<Certificate, Failure> {
    Certificate::parse(&read(path)?)
        .map_err(|error| Failure::usage(format!("`{}` cannot be used", path.display())).caused_by(error))
}

fn text(verified: &Verified) -> String {
    let certificate = verified.certificate();
    let mut text =
        format!("valid: `{}` of Region {}\n", verified.kind(), printable::brief(verified.region()));
    if let Some(time) = verified.signing_time() {
        text.push_str(&format!("signed: {time}\n"));
    }
    text.push_str(&format!(
        "certificate: {}, serial {}, until {}\nfingerprint: {}\n",
        certificate.key_description(),
        certificate.serial(),
        certificate.not_after(),
        certificate.fingerprint(),
    ));
    text
}

fn json(verified: &Verified) -> serde_json::Value {
    let certificate = verified.certificate();
    let document: serde_json::Value = serde_json::from_slice(verified.document()).unwrap_or_default();
    json!({
        "valid": true,
        "result": "valid",
        "signature": verified.kind().name(),
        "region": verified.region(),
        "signingTime": verified.signing_time(),
        "document": document,
        "certificate": {
            "key": certificate.key_description(),
            "serial": certificate.serial(),
            "notAfter": certificate.not_after(),
            "fingerprint": certificate.fingerprint(),
        },
    })
}

fn refused(rejection: &Rejection) -> Failure {
    let failure = Failure::told(Exit::Unexpected, rejection.to_string());
    match rejection {
        Rejection::UnknownRegion(_) => {
            failure.hint("`--certificate FILE` verifies with a certificate from AWS's page for that Region")
        }
        Rejection::DocumentDiffers { only_trailing_whitespace: true, .. } => {
            failure.hint("`imds identity show > FILE` writes the document as it was signed")
        }
        Rejection::CertificateExpired { .. } => failure
            .hint("a newer `imds` may have the Region's new certificate; `--certificate FILE` takes one"),
        Rejection::WrongCertificate { .. } | Rejection::SignatureMismatch(_) => {
            failure.hint("what an emulator signed is verified with its own certificate: `--certificate FILE`")
        }
        _ => failure,
    }
}
