//! Finds the group and its lifecycle hooks.

use imds::{AsyncClient, ErrorKind};

use super::api::Api;
use crate::machine::hooks::Details;

/// The tag that Auto Scaling gives each instance of a group; readable where the metadata options
/// show tags.
const GROUP_TAG: &str = "/latest/meta-data/tags/instance/aws:autoscaling:groupName";

/// What the user gave to find them by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) group: Option<String>,
    /// In the order to serve them.
    pub(crate) hooks: Vec<String>,
    /// JMESPath expressions on the user data.
    pub(crate) group_query: Option<String>,
    pub(crate) hook_query: Option<String>,
}

/// Finds the group: as given, or the instance's tag, else the user data, else the API.
pub(crate) async fn resolve(imds: &AsyncClient, api: &Api, given: &Given) -> Result<Details, String> {
    let named = match &given.hook_query {
        Some(query) if given.hooks.is_empty() => vec![from_user_data(imds, query).await?],
        _ => given.hooks.clone(),
    };
    let group = match &given.group {
        Some(group) => group.clone(),
        None => match tag(imds).await? {
            Some(group) => group,
            None => match &given.group_query {
                Some(query) => from_user_data(imds, query).await?,
                None => {
                    let instance = api.instance().await;
                    let instance = instance.map_err(|reason| {
                        format!("cannot find the instance's group: {reason}; name it with `--group`")
                    })?;
                    instance.ok_or("the instance is in no Auto Scaling group; name one with `--group`")?.0
                }
            },
        },
    };
    let hooks = match api.hooks(&group).await {
        Ok(hooks) => Some(hooks),
        // With the hook's name, only its heartbeat timeout would have been of use.
        Err(reason) if reason.starts_with("AccessDenied") && !named.is_empty() => None,
        Err(reason) => return Err(format!("cannot describe the hooks of group `{group}`: {reason}")),
    };
    Ok(Details { group, named, hooks })
}

async fn tag(imds: &AsyncClient) -> Result<Option<String>, String> {
    match imds.get(GROUP_TAG).await {
        Ok(answer) => Ok(Some(answer.text().map_err(|error| error.to_string())?.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The text that a JMESPath expression finds in the user data. No message quotes the data, which
/// may hold secrets.
async fn from_user_data(imds: &AsyncClient, query: &str) -> Result<String, String> {
    let data =
        imds.user_data().await.map_err(|error| error.to_string())?.ok_or("the instance has no user data")?;
    let text = String::from_utf8(data).map_err(|_| "the user data is not JSON")?;
    let document = jmespath::Variable::from_json(&text).map_err(|_| "the user data is not JSON")?;
    let expression = jmespath::compile(query).map_err(|_| format!("`{query}` is no JMESPath expression"))?;
    let found = expression.search(document).map_err(|_| format!("`{query}` cannot search the user data"))?;
    let text = found.as_string().filter(|text| !text.is_empty());
    text.cloned().ok_or_else(|| format!("`{query}` finds no text in the user data"))
}
