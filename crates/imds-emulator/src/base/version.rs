//! Versions of the metadata: the dates that a path may begin with, and which of them shows what.

use imds_model::{Category, MetadataPath, catalogue};

/// A version: categories that are newer than it are not shown under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(u32);

/// What `/` lists on Nitro, `latest` aside (captures of 2024: 318 bytes with `latest`).
const LISTED: [&str; 29] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-07-09",
    "2022-09-24",
    "2024-04-11",
];

impl Version {
    /// `1.0`.
    pub(crate) const FIRST: Self = Self(0);
    /// `latest`: shows everything.
    pub(crate) const LATEST: Self = Self(u32::MAX);

    /// The version of a release date. Not every release is one that a path can begin with:
    /// `2018-05-23` brought the identity credentials and is not listed (EC2 User Guide,
    /// "Instance metadata categories").
    #[must_use]
    pub(crate) const fn released(year: u32, month: u32, day: u32) -> Self {
        Self(year * 10_000 + month * 100 + day)
    }

    /// The version that a path's first segment names, if the service lists it.
    #[must_use]
    pub(crate) fn addressed(segment: &str) -> Option<Self> {
        if segment == "latest" {
            return Some(Self::LATEST);
        }
        LISTED.contains(&segment).then(|| Self::from_text(segment))
    }

    /// The same among those that a listing up to `last` shows.
    #[must_use]
    pub(crate) fn addressed_up_to(segment: &str, last: Self) -> Option<Self> {
        Self::addressed(segment).filter(|version| *version == Self::LATEST || *version <= last)
    }

    /// The version that brought a category, by the catalogue.
    pub(crate) fn of(category: Category) -> Self {
        Self::from_text(category.shown_since())
    }

    /// The version that brought a path, by the catalogue; the first if the catalogue has no such
    /// path.
    pub(crate) fn of_path(path: &str) -> Self {
        let Ok(path) = format!("/latest/{path}").parse::<MetadataPath>() else { return Self::FIRST };
        catalogue::find(&path).map_or(Self::FIRST, |found| Self::of(found.category))
    }

    fn from_text(segment: &str) -> Self {
        if segment == "1.0" {
            return Self::FIRST;
        }
        Self(
            segment
                .bytes()
                .filter(u8::is_ascii_digit)
                .fold(0, |number, digit| number * 10 + u32::from(digit - b'0')),
        )
    }
}

/// The listing at `/`: every version up to `last`, then `latest`, without a newline at the end.
#[must_use]
pub(crate) fn listing(last: Version) -> String {
    let mut text = String::new();
    for version in LISTED.iter().filter(|version| Version::from_text(version) <= last) {
        text.push_str(version);
        text.push('\n');
    }
    text.push_str("latest");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_dates_paths() {
        assert_eq!(Version::of_path("meta-data/placement/region"), Version::released(2020, 8, 24));
        assert_eq!(Version::of_path("meta-data/never-heard-of"), Version::FIRST);
        assert_eq!(Version::of(Category::UserData), Version::FIRST);
    }

    #[test]
    fn listings_are_as_long_as_captured() {
        assert_eq!(listing(Version::LATEST).len(), 318);
        // AWS Snowball Edge Developer Guide: 274 bytes.
        assert_eq!(listing(Version::released(2021, 3, 23)).len(), 274);
    }

    #[test]
    fn addressed_versions_are_the_listed_ones() {
        assert_eq!(Version::addressed("latest"), Some(Version::LATEST));
        assert_eq!(Version::addressed("1.0"), Some(Version::FIRST));
        assert_eq!(Version::addressed("2021-03-23"), Some(Version::released(2021, 3, 23)));
        for unknown in ["2018-05-23", "2030-01-01", "meta-data", "", "LATEST"] {
            assert_eq!(Version::addressed(unknown), None, "{unknown}");
        }
        let snowball = Version::released(2021, 3, 23);
        assert_eq!(Version::addressed_up_to("2024-04-11", snowball), None);
        assert_eq!(Version::addressed_up_to("latest", snowball), Some(Version::LATEST));
    }
}
