//! Every category at every version, beside what the model says: when it is shown, where it is
//! listed, whether a Snowball has it.

use std::path::Path;

use imds_emulator::{Emulator, HttpTokens, Preset, Service, read_instance};
use imds_model::catalogue::Format;
use imds_model::{CATALOGUE, Category};

/// Categories that no emulated instance has, and why.
const NOWHERE: [Category; 9] = [
    // Retired.
    Category::ElasticGpu,
    Category::ElasticGpusDirectory,
    Category::ElasticGpuAssociationsDirectory,
    Category::ElasticInferenceAccelerator,
    Category::ElasticInferenceDirectory,
    Category::ElasticInferenceAssociationsDirectory,
    // Named in some Regions' listings; nobody has read one.
    Category::IdentityDsa2048,
    // EC2 Instance Connect's own certificate.
    Category::SignerCertificate,
    Category::SignerOcsp,
];

/// The path with labels that the fullest instance has.
fn concrete(path: &str) -> String {
    [
        ("<virtual-name>", "ebs1"),
        ("<role-name>", "my-role"),
        ("<user>", "ec2-user"),
        ("<mac>", "02:29:96:8f:6a:2d"),
        ("<public-ip>", "203.0.113.25"),
        ("<index>", "0"),
        ("<key>", "Name"),
    ]
    .iter()
    .fold(path.to_owned(), |path, (label, value)| path.replace(label, value))
}

fn fullest() -> Service {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fullest.toml");
    let described = read_instance(&file).unwrap();
    Emulator::builder().described(described).tokens(HttpTokens::Optional).build().unwrap()
}

/// Status, media type and body.
fn ask(service: &Service, path: &str) -> (u16, String, String) {
    let answer = service.answer_bytes(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes());
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let media_type = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap();
    (status, media_type.to_owned(), body.to_owned())
}

fn versions(service: &Service) -> Vec<String> {
    ask(service, "/").2.lines().map(str::to_owned).collect()
}

#[test]
fn each_category_is_shown_by_the_versions_that_the_model_says() {
    let service = fullest();
    let versions = versions(&service);
    assert_eq!((versions.len(), versions.last().unwrap().as_str()), (30, "latest"));
    for category in CATALOGUE.iter().copied() {
        let path = concrete(category.path());
        let somewhere = !NOWHERE.contains(&category) && category != Category::SignerOcspDirectory;
        for version in &versions {
            let (status, media_type, _) = ask(&service, &format!("/{version}/{path}"));
            let shown = somewhere && category.is_shown_by(version);
            assert_eq!(status, if shown { 200 } else { 404 }, "/{version}/{path}");
            if shown {
                let binary = category.format() == Format::Opaque;
                let expected = if binary { "application/octet-stream" } else { "text/plain" };
                assert_eq!(media_type, expected, "{path}");
            }
        }
    }
}

#[test]
fn each_category_is_listed_where_it_is_shown() {
    let service = fullest();
    for category in CATALOGUE.iter().copied() {
        let path = concrete(category.path());
        // Found and not listed: nobody has seen it in a listing.
        let hidden =
            matches!(category, Category::ManagedSshKeysDirectory | Category::ExtendedIamRolesDirectory);
        let Some(directory) = category.directory() else { continue };
        let name = path.strip_prefix(&concrete(directory.path())).unwrap();
        // The listing names the key: `0=my-key`.
        let name = if category == Category::PublicKeyFormatsDirectory { "0=my-key" } else { name };
        for version in versions(&service) {
            let shown = ask(&service, &format!("/{version}/{path}")).0 == 200;
            let (_, _, listing) = ask(&service, &format!("/{version}/{}", concrete(directory.path())));
            let listed = listing.lines().any(|line| line == name);
            assert_eq!(listed, shown && !hidden, "`{name}` in {listing:?} of {version}");
        }
    }
}

#[test]
fn a_snowball_has_the_categories_that_the_model_says() {
    let service = Emulator::builder().described(Preset::Snowball).build().unwrap();
    for category in CATALOGUE.iter().copied() {
        let path = concrete(category.path());
        let (status, ..) = ask(&service, &format!("/latest/{path}"));
        assert_eq!(status == 200, category.snowball(), "{path}");
    }
}
