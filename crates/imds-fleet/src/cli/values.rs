//! Reads the values of options.

use imds_model::options::{HopLimit, HttpTokens, Switch};

use crate::inventory::owner::Owner;

pub(super) fn owner(text: &str) -> Result<Owner, String> {
    Owner::ALL.into_iter().find(|owner| owner.option() == text).ok_or_else(|| {
        let known = Owner::ALL.map(Owner::option).join("`, `");
        format!("no owner is called `{}`; there are `{known}`", imds_model::printable::brief(text))
    })
}

pub(super) fn account(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account is twelve digits".to_owned()),
    }
}

/// A Region becomes part of a host name: nothing else may come through here.
pub(super) fn region(text: &str) -> Result<String, String> {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    match !text.is_empty() && text.len() <= 64 && text.bytes().all(fits) && !text.starts_with('-') {
        true => Ok(text.to_owned()),
        false => Err("a Region is lower-case letters, digits and `-`, such as `eu-west-1`".to_owned()),
    }
}

pub(super) fn tokens(text: &str) -> Result<HttpTokens, String> {
    HttpTokens::parse(text).ok_or_else(|| "say `optional` or `required`".to_owned())
}

pub(super) fn switch(text: &str) -> Result<Switch, String> {
    Switch::parse(text).ok_or_else(|| "say `enabled` or `disabled`".to_owned())
}

pub(super) fn hop_limit(text: &str) -> Result<HopLimit, String> {
    text.parse().ok().and_then(HopLimit::new).ok_or_else(|| "say a number from 1 to 64".to_owned())
}

pub(super) fn filter(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, values) = text
        .split_once('=')
        .filter(|(name, values)| !name.is_empty() && !values.is_empty())
        .ok_or_else(|| format!("`{text}` is not a filter: say `NAME=VALUE`"))?;
    Ok((name.to_owned(), values.split(',').map(str::to_owned).collect()))
}
