//! Launch templates.

use super::{read_options, write_options};
use std::collections::BTreeMap;

use crate::answer::{Answer, Refusal, dry_run};
use crate::request::Request;
use crate::world::{Contents, Template, World};
use crate::xml::Xml;

fn find<'a>(contents: &'a mut Contents, request: &Request) -> Result<&'a mut Template, Refusal> {
    let (id, name) = (request.get("LaunchTemplateId"), request.get("LaunchTemplateName"));
    contents
        .templates
        .iter_mut()
        .find(|template| id == Some(template.id.as_str()) || name == Some(template.name.as_str()))
        .ok_or_else(|| {
            let wanted = id.or(name).unwrap_or_default();
            Refusal::new(
                "InvalidLaunchTemplateId.NotFound",
                format!("The specified launch template, with template ID {wanted}, does not exist."),
            )
        })
}

/// The version that a text stands for, if there is one.
pub(crate) fn number(template: &Template, version: &str) -> Option<usize> {
    match version {
        "$Default" => Some(template.default),
        "$Latest" => Some(template.latest()),
        number => number.parse().ok().filter(|number| {
            (1..=template.versions.len()).contains(number) && !template.deleted.contains(number)
        }),
    }
}

fn write(xml: &mut Xml, template: &Template, number: usize, resolved: &dyn Fn(&str) -> String) {
    let Some((options, image)) = template.versions.get(number - 1) else { return };
    xml.text("launchTemplateId", &template.id)
        .text("launchTemplateName", &template.name)
        .text("versionNumber", number)
        .maybe("versionDescription", template.descriptions.get(&number))
        .text("defaultVersion", template.default == number);
    xml.element("launchTemplateData", |xml| {
        xml.maybe("imageId", image.as_deref().map(resolved));
        xml.maybe("userData", template.user_data.get(&number));
        if !template.instance_tags.is_empty() {
            xml.element("tagSpecificationSet", |xml| {
                xml.element("item", |xml| {
                    xml.text("resourceType", "instance");
                    xml.element("tagSet", |xml| write_tags(xml, &template.instance_tags));
                });
            });
        }
        if *options != crate::world::Options::default() {
            xml.element("metadataOptions", |xml| write_options(xml, options));
        }
    });
}

pub(super) fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    for (key, value) in tags {
        xml.element("item", |xml| {
            xml.text("key", key).text("value", value);
        });
    }
}

/// `DescribeLaunchTemplates`: the templates themselves, with their tags, which the versions do not
/// have.
pub(super) fn describe(world: &mut World, request: &Request) -> Answer {
    let size = request.get("MaxResults").and_then(|size| size.parse().ok()).unwrap_or(200);
    let templates = &world.at(&request.account, &request.region).templates;
    let (range, next) = request.page(templates.len(), size);
    Answer::ec2("DescribeLaunchTemplates", |xml| {
        xml.element("launchTemplates", |xml| {
            for template in &templates[range] {
                xml.element("item", |xml| {
                    xml.text("launchTemplateId", &template.id)
                        .text("launchTemplateName", &template.name)
                        .text("defaultVersionNumber", template.default)
                        .text("latestVersionNumber", template.latest());
                    xml.element("tagSet", |xml| write_tags(xml, &template.tags));
                });
            }
        });
        xml.maybe("nextToken", next);
    })
}

pub(super) fn describe_versions(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let wanted = request.list("LaunchTemplateVersion");
    let named = request.get("LaunchTemplateId").or(request.get("LaunchTemplateName")).is_some();
    let least = request.get("MinVersion").and_then(|number| number.parse::<usize>().ok()).unwrap_or(1);
    let most =
        request.get("MaxVersion").and_then(|number| number.parse::<usize>().ok()).unwrap_or(usize::MAX);
    // "If `ResolveAlias` is true, and an SSM parameter is specified for `ImageId`, the AMI ID is
    // displayed" (API reference, `DescribeLaunchTemplateVersions`), to a caller who may read the
    // parameter.
    let resolves = request.get("ResolveAlias") == Some("true");
    if resolves && world.allowed.as_ref().is_some_and(|allowed| !allowed.contains("ssm:GetParameters")) {
        let text = "You are not authorized to perform: ssm:GetParameters";
        return Err(Refusal(403, "UnauthorizedOperation".to_owned(), text.to_owned()));
    }
    let parameters = world.parameters.clone();
    let resolved = |image: &str| match image.strip_prefix("resolve:ssm:").filter(|_| resolves) {
        Some(name) => parameters.get(name).cloned().unwrap_or_else(|| image.to_owned()),
        None => image.to_owned(),
    };
    let contents = world.at(&request.account, &request.region);
    let templates: Vec<Template> =
        if named { vec![find(contents, request)?.clone()] } else { contents.templates.clone() };
    // A version that is asked for by its number and is not there is an error ("Error codes for the
    // Amazon EC2 API", `InvalidLaunchTemplateId.VersionNotFound`).
    if let Some(missing) = wanted.iter().find(|it| named && number(&templates[0], it).is_none()) {
        return Err(Refusal::new(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!("Could not find the specified version {missing} for the launch template."),
        ));
    }
    let rows: Vec<(&Template, usize)> = templates
        .iter()
        .flat_map(|template| {
            let mut numbers: Vec<usize> = if wanted.is_empty() {
                (least..=template.versions.len().min(most))
                    .filter(|it| !template.deleted.contains(it))
                    .collect()
            } else {
                wanted.iter().filter_map(|version| number(template, version)).collect()
            };
            numbers.dedup();
            numbers.into_iter().map(move |number| (template, number))
        })
        .collect();
    let size = request.get("MaxResults").and_then(|size| size.parse().ok()).unwrap_or(200);
    let (range, next) = request.page(rows.len(), size);
    Ok(Answer::ec2("DescribeLaunchTemplateVersions", |xml| {
        xml.element("launchTemplateVersionSet", |xml| {
            for (template, number) in &rows[range] {
                xml.element("item", |xml| write(xml, template, *number, &resolved));
            }
        });
        xml.maybe("nextToken", next);
    }))
}

pub(super) fn create_version(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let options = read_options(request, "LaunchTemplateData.MetadataOptions.")?;
    let template = find(world.at(&request.account, &request.region), request)?;
    if request.get("DryRun") == Some("true") {
        return Err(dry_run());
    }
    let token = request.get("ClientToken").unwrap_or_default().to_owned();
    let made = match template.client_tokens.get(&token).filter(|_| !token.is_empty()) {
        // The same token asks for the same version, not for another one.
        Some(made) => *made,
        None => {
            let source = request.get("SourceVersion").and_then(|version| number(template, version));
            let image = source.and_then(|number| template.versions.get(number - 1)?.1.clone());
            template.versions.push((options, image));
            let made = template.versions.len();
            template.client_tokens.insert(token, made);
            let description = request.get("VersionDescription").map(str::to_owned);
            template.descriptions.extend(description.map(|description| (made, description)));
            made
        }
    };
    let template = template.clone();
    Ok(Answer::ec2("CreateLaunchTemplateVersion", |xml| {
        xml.element("launchTemplateVersion", |xml| write(xml, &template, made, &str::to_owned));
    }))
}

pub(super) fn modify(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let template = find(world.at(&request.account, &request.region), request)?;
    let version = request.get("SetDefaultVersion").unwrap_or_default();
    let wanted = number(template, version).ok_or_else(|| {
        Refusal::new("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.")
    })?;
    if request.get("DryRun") == Some("true") {
        return Err(dry_run());
    }
    template.default = wanted;
    let (id, name, latest) = (template.id.clone(), template.name.clone(), template.latest());
    Ok(Answer::ec2("ModifyLaunchTemplate", |xml| {
        xml.element("launchTemplate", |xml| {
            xml.text("launchTemplateId", &id)
                .text("launchTemplateName", &name)
                .text("defaultVersionNumber", wanted)
                .text("latestVersionNumber", latest);
        });
    }))
}

/// "You can't delete the default version of a launch template" (API reference,
/// `DeleteLaunchTemplateVersions`): what could not be deleted is in the answer, which is no error.
pub(super) fn delete_versions(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let wanted: Vec<String> = request.list("LaunchTemplateVersion").into_iter().map(str::to_owned).collect();
    let template = find(world.at(&request.account, &request.region), request)?;
    if request.get("DryRun") == Some("true") {
        return Err(dry_run());
    }
    let mut outcomes = Vec::new();
    for version in wanted {
        let there = number(template, &version);
        let refusal = match there {
            None => Some(("launchTemplateVersionDoesNotExist", "Could not find the specified version.")),
            Some(number) if number == template.default => {
                Some(("unexpectedError", "Cannot delete the default version."))
            }
            Some(number) => {
                template.deleted.insert(number);
                None
            }
        };
        outcomes.push((version, refusal));
    }
    let id = template.id.clone();
    Ok(Answer::ec2("DeleteLaunchTemplateVersions", |xml| {
        for (name, failed) in [
            ("successfullyDeletedLaunchTemplateVersionSet", false),
            ("unsuccessfullyDeletedLaunchTemplateVersionSet", true),
        ] {
            xml.element(name, |xml| {
                for (version, refusal) in outcomes.iter().filter(|(_, refusal)| refusal.is_some() == failed) {
                    xml.element("item", |xml| {
                        xml.text("launchTemplateId", &id).text("versionNumber", version);
                        if let Some((code, message)) = refusal {
                            xml.element("responseError", |xml| {
                                xml.text("code", code).text("message", message);
                            });
                        }
                    });
                }
            });
        }
    }))
}
