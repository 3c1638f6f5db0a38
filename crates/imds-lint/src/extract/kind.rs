//! What a text is, by its name and its first bytes.

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// POSIX shell or bash.
    Shell,
    /// A shell script with `${...}` of Terraform's `templatefile`.
    ShellTemplate,
    /// PowerShell.
    PowerShell,
    /// Python.
    Python,
    /// JavaScript.
    JavaScript,
    /// Go.
    Go,
    /// Ruby.
    Ruby,
    /// Java.
    Java,
    /// A Dockerfile.
    Dockerfile,
    /// HCL: Terraform, Packer.
    Hcl,
    /// YAML: CloudFormation, Kubernetes, Compose, Ansible...
    Yaml,
    /// cloud-config of cloud-init.
    CloudConfig,
    /// JSON.
    Json,
    /// Several parts with headers.
    Mime,
    /// gzip.
    Gzip,
    /// base64 of something that is read.
    Base64,
    /// A list of required packages.
    Manifest(Manifest),
    /// User data of Windows: `<powershell>` and `<script>`.
    WindowsUserData,
}

/// Which list of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// requirements.txt, constraints.txt.
    Requirements,
    /// package.json.
    PackageJson,
    /// Gemfile and Gemfile.lock.
    Gemfile,
    /// go.mod.
    GoMod,
    /// pom.xml.
    Pom,
    /// build.gradle.
    Gradle,
    /// composer.json.
    Composer,
    /// Pipfile, pyproject.toml, setup.py, setup.cfg.
    PythonProject,
    /// .csproj, packages.config.
    NuGet,
}

/// What a file is by its name alone.
#[must_use]
pub fn by_name(path: &str) -> Option<Kind> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let manifest = match lower.as_str() {
        "package.json" => Some(Manifest::PackageJson),
        "gemfile" | "gemfile.lock" => Some(Manifest::Gemfile),
        "go.mod" => Some(Manifest::GoMod),
        "pom.xml" => Some(Manifest::Pom),
        "build.gradle" | "build.gradle.kts" => Some(Manifest::Gradle),
        "composer.json" => Some(Manifest::Composer),
        "pipfile" | "pyproject.toml" | "setup.cfg" => Some(Manifest::PythonProject),
        "packages.config" => Some(Manifest::NuGet),
        _ => None,
    };
    if let Some(manifest) = manifest {
        return Some(Kind::Manifest(manifest));
    }
    let requirements = lower.starts_with("requirements") || lower.starts_with("constraints");
    if requirements && (lower.ends_with(".txt") || lower.ends_with(".in")) {
        return Some(Kind::Manifest(Manifest::Requirements));
    }
    if ["dockerfile", "containerfile"]
        .iter()
        .any(|word| lower == *word || lower.starts_with(&format!("{word}.")))
    {
        return Some(Kind::Dockerfile);
    }
    if matches!(lower.as_str(), ".bashrc" | ".profile" | ".bash_profile" | ".zshrc" | "pkgbuild") {
        return Some(Kind::Shell);
    }
    if matches!(lower.as_str(), "vagrantfile" | "rakefile" | "berksfile") {
        return Some(Kind::Ruby);
    }
    // Elastic Beanstalk.
    if path.contains(".ebextensions/") && lower.ends_with(".config") {
        return Some(Kind::Yaml);
    }
    let (stem, extension) = lower.rsplit_once('.')?;
    Some(match extension {
        "sh" | "bash" | "ksh" | "zsh" | "ash" | "bats" | "envrc" | "ebuild" => Kind::Shell,
        "tftpl" | "tpl" | "tmpl"
            if stem.ends_with(".sh") || stem.contains("user") || extension == "tftpl" =>
        {
            Kind::ShellTemplate
        }
        "ps1" | "psm1" | "psd1" => Kind::PowerShell,
        "py" | "pyw" => Kind::Python,
        "js" | "mjs" | "cjs" | "jsx" => Kind::JavaScript,
        "go" => Kind::Go,
        "rb" | "erb" if extension == "rb" => Kind::Ruby,
        "java" => Kind::Java,
        "dockerfile" | "containerfile" => Kind::Dockerfile,
        "tf" | "hcl" | "tofu" => Kind::Hcl,
        "yaml" | "yml" => Kind::Yaml,
        "template" | "cfn" => Kind::Yaml,
        "json" => Kind::Json,
        "gz" => Kind::Gzip,
        "csproj" | "fsproj" | "vbproj" => Kind::Manifest(Manifest::NuGet),
        _ => return None,
    })
}

/// What a text is by how it begins.
#[must_use]
pub fn by_content(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Some(Kind::Gzip);
    }
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let head = head.trim_start_matches('\u{feff}');
    let first = head.lines().next().unwrap_or_default();
    if let Some(interpreter) = first.strip_prefix("#!") {
        return by_interpreter(interpreter);
    }
    let trimmed = head.trim_start();
    let lower = trimmed.to_ascii_lowercase();
    if first.starts_with("#cloud-config")
        || first.starts_with("## template: jinja") && head.contains("#cloud-config")
    {
        return Some(Kind::CloudConfig);
    }
    if lower.starts_with("content-type: multipart") || lower.starts_with("mime-version:") {
        return Some(Kind::Mime);
    }
    if lower.starts_with("<powershell>")
        || lower.starts_with("<script>")
        || lower.starts_with("version: 1.0\ntasks")
    {
        return Some(Kind::WindowsUserData);
    }
    is_base64_of_script(trimmed).then_some(Kind::Base64)
}

/// What an interpreter runs.
fn by_interpreter(line: &str) -> Option<Kind> {
    let mut words = line.split_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match program {
        "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash" | "bats" => Kind::Shell,
        "python" | "pypy" => Kind::Python,
        "ruby" => Kind::Ruby,
        "node" | "nodejs" => Kind::JavaScript,
        "pwsh" | "powershell" => Kind::PowerShell,
        _ => return None,
    })
}

/// Whether a text is base64 of user data: a script, cloud-config, MIME or gzip.
#[must_use]
pub fn is_base64_of_script(text: &str) -> bool {
    // `#!`, `#clo`, gzip, `Content-`, `MIME-V`, `<pow`.
    ["IyEv", "IyEg", "I2Nsb3Vk", "H4sI", "Q29udGVudC", "TUlNRS1W", "PHBvd2Vy"]
        .iter()
        .any(|start| text.starts_with(start))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_- \r\n\t".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_first_bytes_say_what_a_text_is() {
        assert_eq!(by_name("a/b/user-data.sh"), Some(Kind::Shell));
        assert_eq!(by_name("Dockerfile.prod"), Some(Kind::Dockerfile));
        assert_eq!(by_name("requirements-dev.txt"), Some(Kind::Manifest(Manifest::Requirements)));
        assert_eq!(by_name("userdata.sh.tpl"), Some(Kind::ShellTemplate));
        assert_eq!(by_name("README"), None);
        assert_eq!(by_content(b"#!/usr/bin/env -S bash -e\n"), Some(Kind::Shell));
        assert_eq!(by_content(b"#!/usr/bin/python3.11\n"), Some(Kind::Python));
        assert_eq!(by_content(b"#cloud-config\n"), Some(Kind::CloudConfig));
        assert_eq!(by_content(b"IyEvYmluL3NoCg=="), Some(Kind::Base64));
        assert_eq!(by_content(b"#!/usr/bin/awk -f\n"), None);
        assert_eq!(by_content(b"MIME-Version: 1.0\n"), Some(Kind::Mime));
    }
}
