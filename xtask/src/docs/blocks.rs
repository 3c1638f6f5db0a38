//! The code blocks of a page.

/// One fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Of the fence.
    pub(crate) line: usize,
    /// The first word behind the fence.
    pub(crate) kind: String,
    pub(crate) lines: Vec<String>,
}

/// A command of a `console` block, and what it must print.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: String,
}

impl Block {
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The commands in order. A line that ends with a backslash goes on in the next, and one behind
    /// `> `, the shell's second prompt, goes on what is above it.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut continues = false;
        for line in &self.lines {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { command: command.to_owned(), output: String::new() });
                    continues = command.ends_with('\\');
                }
                (None, Some(step)) if step.output.is_empty() && (line == ">" || line.starts_with("> ")) => {
                    step.command.push('\n');
                    step.command.push_str(line[1..].strip_prefix(' ').unwrap_or_default());
                }
                (None, Some(step)) if continues => {
                    step.command.push('\n');
                    step.command.push_str(line);
                    continues = line.ends_with('\\');
                }
                (None, Some(step)) => {
                    step.output.push_str(line);
                    step.output.push('\n');
                }
                // Text before the first command is none of a shell's.
                (None, None) => {}
            }
        }
        steps
    }
}

pub(crate) fn read(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(kind), None) => {
                let kind = kind.split([' ', ',']).next().unwrap_or_default().to_owned();
                open = Some(Block { line: index + 1, kind, lines: Vec::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_commands_and_their_output() {
        let blocks = read("text\n```console\n$ a \\\n  b\nout\n$ c\n```\n```toml\nx = 1\n```\n");
        assert_eq!(
            blocks.iter().map(|block| (block.line, block.kind.as_str())).collect::<Vec<_>>(),
            [(2, "console"), (8, "toml")]
        );
        let step =
            |command: &str, output: &str| Step { command: command.to_owned(), output: output.to_owned() };
        assert_eq!(blocks[0].steps(), [step("a \\\n  b", "out\n"), step("c", "")]);
        let blocks = read("```console\n$ cat <<E\n> x\n>\n>   y\n> E\nx\n> z\n```\n");
        assert_eq!(blocks[0].steps(), [step("cat <<E\nx\n\n  y\nE", "x\n> z\n")]);
    }
}
