//! What a check found, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use edgewatch_program::output::is_terminal_control;

/// How well it is. The order is from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Status {
    /// Well.
    #[serde(rename = "ok")]
    Ok,
    /// Could not be judged, for a reason that is no fault.
    #[serde(rename = "skipped")]
    Skip,
    /// Works, but not as it should.
    #[serde(rename = "warning")]
    Warn,
    /// Does not work.
    #[serde(rename = "failed")]
    Fail,
}

impl Status {
    const ALL: [Self; 4] = [Self::Fail, Self::Warn, Self::Ok, Self::Skip];

    /// The word in the table, and the colour on a terminal (ECMA-48 SGR).
    const fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("ok", "32"),
            Self::Skip => ("skip", "2"),
            Self::Warn => ("WARN", "33"),
            Self::Fail => ("FAIL", "31"),
        }
    }

    fn count(self, number: usize) -> String {
        match self {
            Self::Ok => format!("{number} ok"),
            Self::Skip => format!("{number} skipped"),
            Self::Warn if number == 1 => "1 warning".to_owned(),
            Self::Warn => format!("{number} warnings"),
            Self::Fail => format!("{number} failed"),
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// What was looked at, in a word or two.
    pub subject: String,
    /// How well it is.
    pub status: Status,
    /// What was found, with the limit where there is one.
    pub found: String,
    /// What to do about it; only for warnings and failures.
    pub remedy: Option<String>,
}

impl Verdict {
    /// It is well.
    pub fn ok(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(subject.into(), Status::Ok, found.into(), None)
    }

    /// It could not be judged because of `reason`.
    pub fn skip(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(subject.into(), Status::Skip, reason.into(), None)
    }

    /// It works, but not as it should.
    pub fn warn(subject: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(subject.into(), Status::Warn, found.into(), Some(remedy.into()))
    }

    /// It does not work.
    pub fn fail(subject: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(subject.into(), Status::Fail, found.into(), Some(remedy.into()))
    }

    const fn new(subject: String, status: Status, found: String, remedy: Option<String>) -> Self {
        Self {
            subject,
            status,
            found,
            remedy,
        }
    }
}

/// All verdicts of one look at the stack.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    status: Status,
    checks: Vec<Verdict>,
}

impl Report {
    /// Sums up `checks`: as bad as the worst of them.
    pub fn new(checks: Vec<Verdict>) -> Self {
        let worst = checks.iter().map(|verdict| verdict.status).max();
        Self {
            status: worst.filter(|status| *status > Status::Skip).unwrap_or(Status::Ok),
            checks,
        }
    }

    /// True if nothing warns or fails.
    pub fn is_well(&self) -> bool {
        self.status == Status::Ok
    }

    /// The checks that fail.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.checks.iter().filter(|verdict| verdict.status == Status::Fail)
    }

    /// True if `subject` was looked at and is well.
    pub fn is_ok(&self, subject: &str) -> bool {
        self.checks
            .iter()
            .any(|verdict| verdict.subject == subject && verdict.status == Status::Ok)
    }

    /// 0 well, 1 warnings, 2 failures: the convention of monitoring plugins.
    pub const fn exit_status(&self) -> u8 {
        match self.status {
            Status::Ok | Status::Skip => 0,
            Status::Warn => 1,
            Status::Fail => 2,
        }
    }

    /// `{"status", "checks": [{"subject", "status", "found", "remedy"}]}` with `ok`, `warning`, `failed`, and for a check also
    /// `skipped`.
    pub fn json(&self) -> String {
        // A struct of strings always has a JSON form.
        let json = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        // JSON lets C1 controls stand as they are, and a terminal obeys them. They occur within strings only, where \u is the same.
        let mut escaped = String::with_capacity(json.len());
        for c in json.chars() {
            match is_terminal_control(c) {
                // To a string it can always be written.
                true => drop(write!(escaped, "\\u{:04x}", u32::from(c))),
                false => escaped.push(c),
            }
        }
        escaped
    }

    /// One verdict a line, its remedy on a line below, and the sum at the end.
    pub fn table(&self, colours: bool) -> String {
        let subjects = self.checks.iter().map(|verdict| verdict.subject.chars().count());
        let width = subjects.max().unwrap_or_default();
        let mut table = String::new();
        for verdict in &self.checks {
            let (word, colour) = verdict.status.mark();
            let word = match colours {
                true => format!("\x1b[{colour}m{word:<4}\x1b[0m"),
                false => format!("{word:<4}"),
            };
            let (subject, found) = (one_line(&verdict.subject), one_line(&verdict.found));
            let _ = writeln!(table, "{word}  {subject:<width$}  {found}");
            if let Some(remedy) = &verdict.remedy {
                let _ = writeln!(table, "{:indent$}-> {}", "", one_line(remedy), indent = width + 8);
            }
        }
        table + &self.summary() + "\n"
    }

    fn summary(&self) -> String {
        let number = |status| self.checks.iter().filter(|verdict| verdict.status == status).count();
        let counts: Vec<_> = Status::ALL
            .into_iter()
            .filter(|status| number(*status) > 0)
            .map(|status| status.count(number(status)))
            .collect();
        let well = if self.is_well() { "well" } else { "not well" };
        format!("{well}: {}", counts.join(", "))
    }
}

/// Texts come from other programs: no line breaks, and nothing that controls a terminal.
fn one_line(text: &str) -> String {
    text.trim()
        .replace(|c: char| c.is_control() || is_terminal_control(c), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(vec![
            Verdict::ok("service", "edgewatch 0.1.0 is ready"),
            Verdict::skip("units", "systemd does not run here"),
            Verdict::warn("clock", "not synchronised", "timedatectl"),
            Verdict::fail("target sensor", "refused\n\x1b[2J", "start it"),
        ])
    }

    #[test]
    fn the_table_is_aligned_and_sums_up() {
        assert_eq!(
            report().table(false),
            "ok    service        edgewatch 0.1.0 is ready\n\
             skip  units          systemd does not run here\n\
             WARN  clock          not synchronised\n\
             \x20                    -> timedatectl\n\
             FAIL  target sensor  refused  [2J\n\
             \x20                    -> start it\n\
             not well: 1 failed, 1 warning, 1 ok, 1 skipped\n"
        );
        assert!(
            report()
                .table(true)
                .contains("\x1b[31mFAIL\x1b[0m  target sensor  refused")
        );
    }

    #[test]
    fn the_json_is_what_the_documentation_says() {
        let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
        assert_eq!(json["status"], "failed");
        let statuses: Vec<_> = json["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["status"])
            .collect();
        assert_eq!(statuses, ["ok", "skipped", "warning", "failed"]);
        assert_eq!(
            json["checks"][2],
            serde_json::json!({"subject": "clock", "status": "warning", "found": "not synchronised", "remedy": "timedatectl"})
        );
        assert!(json["checks"][0]["remedy"].is_null());
    }

    #[test]
    fn what_others_wrote_steers_no_terminal() {
        let odd = "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{e9}b\nc";
        let report = Report::new(vec![Verdict::fail(odd, odd, odd)]);
        let json = report.json();
        assert!(!json.contains(is_terminal_control), "{json}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["checks"][0]["found"], odd);
        assert!(
            report.table(false).contains("a [2J 2J  \u{e9}b c"),
            "{}",
            report.table(false)
        );
    }

    #[test]
    fn the_exit_status_is_that_of_the_worst() {
        let mut checks = report().checks;
        for expected in [2, 1, 0, 0] {
            let report = Report::new(checks.clone());
            assert_eq!((report.exit_status(), report.is_well()), (expected, expected == 0));
            checks.pop();
        }
    }
}
