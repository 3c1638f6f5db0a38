//! `docs/shell-recipes.md`: each `imds` form prints what its `curl` form prints.

use std::path::Path;

use crate::{needed_or_told, world};

const PAGE: &str = include_str!("../../../../docs/shell-recipes.md");

/// Title, `curl` form and `imds` form of each recipe.
fn recipes() -> Vec<(&'static str, &'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    let with_code = sections.filter_map(|section| {
        let title = section.lines().next()?;
        let mut blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
        Some((title, blocks.next()?, blocks.next()?))
    });
    with_code.collect()
}

#[test]
fn each_recipe_prints_what_its_curl_form_prints() {
    for tool in ["curl", "jq"] {
        let there = ["/bin", "/usr/bin"].iter().any(|directory| Path::new(directory).join(tool).exists());
        if !needed_or_told(there, "the shell recipes", tool) {
            return;
        }
    }
    let setup = PAGE.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let setup = setup.replace("IMDS=http://169.254.169.254", "IMDS=$AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let recipes = recipes();
    assert!(recipes.len() >= 15, "{}", recipes.len());
    for (title, curl, ours) in recipes {
        assert!(!curl.contains("imds ") && ours.contains("imds "), "{title}");
        let run = |code: &str| {
            let script = format!("{setup}\n{code}");
            let output = world()
                .imds([
                    "emulate",
                    "--set",
                    "spot/instance-action={\"action\":\"stop\",\"time\":\"2099-01-01T00:00:00Z\"}",
                    "--set",
                    "autoscaling/target-lifecycle-state=InService",
                    "--set",
                    "/latest/user-data={\"cluster\":\"blue\"}",
                    "--set",
                    "tags/instance/Name=web",
                    "--set",
                    "tags/instance/aws:autoscaling:groupName=web-asg",
                    "--",
                    "sh",
                    "-c",
                ])
                .arg(script)
                .disabled()
                .in_own_network(["sh", "-ec", "ip link set lo up; exec \"$@\"", "sh"])
                .prints_secrets()
                .run();
            assert_eq!(output.code(), Some(0), "{title}: {output}");
            output.stdout().trim_end_matches('\n').to_owned()
        };
        let (theirs, found) = (run(curl), run(ours));
        assert_eq!(theirs, found, "{title}");
        assert!(!found.is_empty() || title.contains("or nothing"), "{title}");
    }
}
