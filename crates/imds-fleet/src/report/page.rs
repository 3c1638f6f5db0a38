//! Writes the page: rows streaming, figures at the end. It loads nothing, and may not
//! (Content-Security-Policy).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;

use serde_json::json;

use crate::counts::Counts;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountDefaults, Instance, Resource};
use crate::output::flat;
use crate::rules::catalogue::{RULES, Severity};
use crate::rules::judge::Finding;
use crate::trace::Traces;

/// How many accounts and Regions the charts show.
const BARS: usize = 40;

/// The columns of the table of instances.
const COLUMNS: [&str; 14] = [
    "Account",
    "Region",
    "Instance",
    "Posture",
    "Tokens",
    "Hops",
    "Endpoint",
    "IPv6",
    "Tags",
    "Name",
    "Findings",
    "Risk",
    "Reasons",
    "IMDSv1 by",
];

type PostureCounts = BTreeMap<String, BTreeMap<Posture, u64>>;

/// The page while it is written.
pub struct Page<'a> {
    out: &'a mut (dyn Write + Send),
    any: bool,
    accounts: PostureCounts,
    regions: PostureCounts,
    findings: BTreeMap<&'static str, u64>,
    others: Vec<(Severity, String)>,
    /// The end state of each account and Region, what is missing first.
    ends: Vec<(bool, String)>,
    traces: &'a Traces,
    /// Instances that there are traces of and that were not found yet.
    untraced: BTreeSet<&'a str>,
}

impl std::fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

impl<'a> Page<'a> {
    /// Starts the page.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn new(out: &'a mut (dyn Write + Send), traces: &'a Traces) -> std::io::Result<Self> {
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             script-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Instance metadata options</title>\n<style>\n{}</style>\n</head>\n<body>\n\
             <script type=\"application/json\" id=\"rows\">[",
            include_str!("page.css")
        )?;
        let (accounts, regions, findings) = Default::default();
        let untraced = traces.instances().collect();
        Ok(Self {
            out,
            any: false,
            accounts,
            regions,
            findings,
            others: Vec::new(),
            ends: Vec::new(),
            traces,
            untraced,
        })
    }

    /// Takes in a resource and what is wrong with it.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn judged(&mut self, resource: &Resource, findings: &[Finding]) -> std::io::Result<()> {
        let open: Vec<&Finding> = findings.iter().filter(|finding| !finding.excepted).collect();
        for finding in &open {
            *self.findings.entry(finding.rule.id).or_default() += 1;
        }
        match resource {
            Resource::Instance(it) => self.instance(it, &open),
            _ => {
                if let Resource::AccountDefaults(it) = resource {
                    self.ended(it);
                }
                for finding in open {
                    let mut row = String::new();
                    let id = match &finding.name {
                        Some(name) => format!("{} ({name})", finding.id),
                        None => finding.id.clone(),
                    };
                    for cell in [
                        escaped(finding.severity.as_str()),
                        escaped(finding.rule.title),
                        escaped(&finding.place.account),
                        escaped(&finding.place.region),
                        escaped(&id),
                        code(&finding.message),
                        code(&finding.advice()),
                    ] {
                        // Writing to a string cannot fail.
                        let _ = write!(row, "<td>{cell}</td>");
                    }
                    self.others.push((finding.severity, format!("<tr>{row}</tr>")));
                }
                Ok(())
            }
        }
    }

    fn instance(&mut self, it: &Instance, open: &[&Finding]) -> std::io::Result<()> {
        *self.accounts.entry(it.place.account.clone()).or_default().entry(it.posture).or_default() += 1;
        *self.regions.entry(it.place.region.clone()).or_default().entry(it.posture).or_default() += 1;
        let options = &it.options;
        let rules: Vec<&str> = open.iter().map(|finding| finding.rule.id).collect();
        self.untraced.remove(it.id.as_str());
        let callers = self.traces.of(&it.id).map(|callers| {
            let labels = callers.iter().map(|it| format!("{}: {}", it.label(), it.requests));
            labels.collect::<Vec<_>>().join(", ")
        });
        let row = json!([
            it.place.account,
            it.place.region,
            it.id,
            it.posture,
            options.http_tokens,
            options.http_put_response_hop_limit,
            options.http_endpoint,
            options.http_protocol_ipv6,
            options.instance_metadata_tags,
            it.name,
            rules.join(" "),
            it.risk.as_ref().map(|risk| risk.score),
            it.risk.as_ref().map(|risk| risk.reasons.join(", ")),
            callers,
        ]);
        let separator = if std::mem::replace(&mut self.any, true) { "," } else { "" };
        // A tag may hold anything; `</script>` in it must not end the data.
        write!(self.out, "{separator}\n{}", row.to_string().replace('<', "\\u003c"))
    }

    /// Ends the page.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn finish(mut self, counts: &Counts, when: jiff::Timestamp) -> std::io::Result<()> {
        let mut text = String::from("\n]</script>\n");
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            text,
            "<h1>Instance metadata options</h1>\n<p class=\"when\">{} · imds-fleet {}</p>\n",
            when.strftime("%Y-%m-%d %H:%M UTC"),
            env!("CARGO_PKG_VERSION")
        );
        self.figures(&mut text, counts);
        if !counts.incomplete.is_empty() {
            let _ = write!(
                text,
                "<div class=\"missing\"><b>Not (fully) scanned: {}</b><ul>",
                counts.incomplete.len()
            );
            for scan in &counts.incomplete {
                let _ = write!(
                    text,
                    "<li>{}: {}</li>",
                    escaped(&scan.place.to_string()),
                    escaped(&flat::not_scanned(scan))
                );
            }
            text.push_str("</ul></div>\n");
        }
        self.traced(&mut text);
        text.push_str("<h2>Instances by posture</h2>\n<ul class=\"legend\">");
        for posture in Posture::ALL {
            let word = posture.as_str();
            let _ = write!(
                text,
                "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{word}\" width=\"10\" \
                 height=\"10\"/></svg> {word}: {}</li>",
                posture.meaning()
            );
        }
        text.push_str("</ul>\n");
        bars(&mut text, "By account", &self.accounts);
        bars(&mut text, "By Region", &self.regions);
        self.end_states(&mut text);
        self.rules(&mut text);
        if !self.others.is_empty() {
            text.push_str(
                "<h2>Launch templates, launch configurations and account defaults</h2>\n<div class=\"wide\">\
                 <table class=\"list\"><thead><tr>",
            );
            for head in ["Severity", "Finding", "Account", "Region", "Resource", "Details", "Fix"] {
                let _ = write!(text, "<th>{head}</th>");
            }
            // The worst first; among equals as they were found.
            self.others.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
            let rows: Vec<&str> = self.others.iter().map(|(_, row)| row.as_str()).collect();
            let _ = writeln!(text, "</tr></thead><tbody>{}</tbody></table></div>", rows.join("\n"));
        }
        text.push_str(
            "<h2>Instances</h2>\n<p>By risk: while IMDSv1 is answered, an instance profile counts 8, a public address 4, a \
             security group that is open to 0.0.0.0/0 or ::/0 2, running 1.</p>\n<div class=\"tools\"><input id=\"search\" type=\"search\" placeholder=\"Search\" \
             aria-label=\"Search\"><button id=\"back\">Previous</button><span id=\"place\"></span>\
             <button id=\"on\">Next</button></div>\n<div class=\"wide\"><table class=\"list\" id=\"list\"><thead><tr>",
        );
        for column in COLUMNS {
            let _ = write!(text, "<th><button>{column}</button></th>");
        }
        let _ = write!(
            text,
            "</tr></thead><tbody id=\"instances\"></tbody></table></div>\n<script>\n{}</script>\n</body>\n</html>\n",
            include_str!("page.js")
        );
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// What keeps the traces from being the whole truth, and what they are of besides.
    fn traced(&self, text: &mut String) {
        if !self.traces.gaps.is_empty() {
            text.push_str("<div class=\"missing\"><b>Traces that are not complete</b><ul>");
            for gap in &self.traces.gaps {
                let _ = write!(text, "<li>{}</li>", code(gap));
            }
            text.push_str("</ul></div>\n");
        }
        if !self.untraced.is_empty() {
            let ids = self.untraced.iter().map(|id| escaped(id)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "<p>Traced, and not among these instances: {ids}</p>");
        }
    }

    fn ended(&mut self, it: &AccountDefaults) {
        let end = &it.end_state;
        let word = if end.reached { "reached" } else { "not reached" };
        let by = it.managed_by.as_deref().unwrap_or("account");
        let (account, region) = (escaped(&it.place.account), escaped(&it.place.region));
        let row = format!(
            "<tr><td>{account}</td><td>{region}</td><td>{word}</td><td>{}</td><td>{}</td></tr>",
            escaped(by),
            code(&end.missing.join(", "))
        );
        self.ends.push((end.reached, row));
    }

    /// The end state by account and Region.
    fn end_states(&mut self, text: &mut String) {
        if self.ends.is_empty() {
            return;
        }
        let reached = self.ends.iter().filter(|(reached, _)| *reached).count();
        let _ = write!(text, "<h2>End state</h2>\n<p>Reached in {reached} of {}: ", self.ends.len());
        text.push_str(
            "IMDSv2 required by default, IMDSv1 refused (<code>HttpTokensEnforced</code>), and in an organization \
             both held by a declarative policy.</p>\n<div class=\"wide\"><table class=\"list\"><thead><tr><th>Account</th>\
             <th>Region</th><th>End state</th><th>Managed by</th><th>Missing</th></tr></thead><tbody>",
        );
        self.ends.sort_by_key(|(reached, _)| *reached);
        self.ends.iter().for_each(|(_, row)| text.push_str(row));
        text.push_str("</tbody></table></div>\n");
    }

    fn figures(&self, text: &mut String, counts: &Counts) {
        text.push_str("<div class=\"figures\">");
        let total = counts.instances();
        let _ = write!(text, "<div class=\"figure\"><b id=\"instances-total\">{total}</b>instances</div>");
        for posture in Posture::ALL {
            let word = posture.as_str();
            let _ = write!(
                text,
                "<div class=\"figure\"><b class=\"{word}\" id=\"{word}\">{}</b>{word}</div>",
                counts.of(posture)
            );
        }
        text.push_str("</div>\n");
    }

    fn rules(&self, text: &mut String) {
        text.push_str("<h2>Findings by rule</h2>\n<div class=\"wide\"><table class=\"list\"><thead><tr><th>Rule</th><th>Severity</th><th>Count</th><th>Explanation and fix</th></tr></thead><tbody>");
        let mut rules = RULES.to_vec();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
        for rule in rules {
            let Some(count) = self.findings.get(rule.id) else { continue };
            let _ = write!(
                text,
                "<tr><td>{}</td><td>{}</td><td>{count}</td><td><b>{}.</b> {} <i>{}</i></td></tr>",
                rule.id,
                rule.severity.as_str(),
                escaped(rule.title),
                code(rule.explanation),
                code(&rule.advice())
            );
        }
        text.push_str("</tbody></table></div>\n");
    }
}

/// A stacked bar for each name, those with most IMDSv1 first.
fn bars(text: &mut String, title: &str, counts: &PostureCounts) {
    let mut names: Vec<(&String, &BTreeMap<Posture, u64>)> = counts.iter().collect();
    let v1 = |of: &BTreeMap<Posture, u64>| of.get(&Posture::V1Allowed).copied().unwrap_or(0);
    names.sort_by_key(|(_, of)| std::cmp::Reverse(v1(of)));
    let _ = write!(text, "<h3>{title}</h3>\n<div class=\"wide\"><table class=\"bars\">");
    for (name, of) in names.iter().take(BARS) {
        let total: u64 = of.values().sum();
        let _ = write!(
            text,
            "<tr><td>{}</td><td><svg viewBox=\"0 0 480 16\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{} of {total} allow IMDSv1\">",
            escaped(name),
            v1(of)
        );
        let mut before = 0;
        for posture in Posture::ALL {
            let count = of.get(&posture).copied().unwrap_or(0);
            // In thousandths of the bar, whole numbers: 480 wide is finer than anyone sees.
            let (start, end) = (before * 480 / total.max(1), (before + count) * 480 / total.max(1));
            if end > start {
                let _ = write!(
                    text,
                    "<rect class=\"{0}\" x=\"{start}\" width=\"{1}\" height=\"16\"><title>{count} {0}</title></rect>",
                    posture.as_str(),
                    end - start
                );
            }
            before += count;
        }
        let _ = write!(text, "</svg></td><td>{} of {total} allow IMDSv1</td></tr>", v1(of));
    }
    text.push_str("</table></div>\n");
    if names.len() > BARS {
        let _ = writeln!(text, "<p>and {} more</p>", names.len() - BARS);
    }
}

/// Markup of a text whose code stands between backticks.
fn code(text: &str) -> String {
    let mut markup = String::with_capacity(text.len());
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if number % 2 == 1 {
            let _ = write!(markup, "<code>{part}</code>");
        } else {
            markup.push_str(&part);
        }
    }
    markup
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
