//! A digest in words for people: what is wrong, how bad it is, since when, until when, and what to do.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::{Severity, cut};
use crate::digest::{Digest, Item, News};
use crate::settings::Device;

/// Up to so many alerts each has all that is known of it; of more, each has a line.
const IN_FULL: usize = 5;
/// Bytes of a subject.
const MAX_SUBJECT: usize = 200;

/// A digest, with what it takes to write it.
pub struct Message<'a> {
    /// What is told.
    pub digest: &'a Digest,
    /// Of which device.
    pub device: &'a Device,
    /// In which times are written.
    pub zone: &'a TimeZone,
}

impl Message<'_> {
    /// A line: the device, how bad it is, and what it is.
    pub fn subject(&self) -> String {
        let text = match &*self.digest.items {
            [item] if self.digest.more == 0 => format!("{}: {}", state(item), item.words.summary),
            items => {
                let mut text = format!("{} alerts", items.len() + self.digest.more);
                for severity in [Severity::Critical, Severity::Warning] {
                    let count = items.iter().filter(|item| item.severity() == severity).count();
                    if count > 0 {
                        let _ = write!(text, ", {count} {}", severity.name());
                    }
                }
                match items.iter().filter(|item| item.news.is_firing()).count() {
                    0 if self.digest.more == 0 => text.push_str(", all of them over"),
                    0 => {}
                    firing => {
                        let _ = write!(text, ", {firing} still there");
                    }
                }
                text
            }
        };
        let line = format!("{}: {text}", self.device.name);
        let line: String = line.chars().filter(|character| !character.is_control()).collect();
        cut(&line, MAX_SUBJECT).to_owned()
    }

    /// The text, of at most `limit` bytes. What does not fit is counted.
    pub fn text(&self, limit: usize) -> String {
        let items = &self.digest.items;
        let mut head = String::new();
        if let Some(since) = self.digest.late_since {
            let _ = writeln!(
                head,
                "This comes late: nothing could be sent since {}.\n",
                self.time(since)
            );
        }
        let foot = match &*self.device.link {
            "" => String::new(),
            link => format!("{link}\n"),
        };
        let is_in_full = items.len() <= IN_FULL;
        let all = self.digest.more + items.len();
        let (mut text, mut told) = (head, 0);
        for item in items {
            let room = limit.saturating_sub(text.len() + self.remainder(all - told - 1).len() + foot.len());
            // One that is too long has a line, and those behind it may have room.
            let fits = |text: &String| text.len() <= room;
            let line = || self.in_a_line(item) + if is_in_full { "\n" } else { "" };
            let full = is_in_full.then(|| self.in_full(item)).filter(fits);
            if let Some(form) = full.or_else(|| Some(line()).filter(fits)) {
                text.push_str(&form);
                told += 1;
            }
        }
        text.push_str(&self.remainder(all - told));
        if !is_in_full && told > 0 && text.len() + 1 + foot.len() <= limit {
            text.push('\n');
        }
        text.push_str(&foot);
        cut(text.trim_end(), limit).to_owned()
    }

    fn remainder(&self, count: usize) -> String {
        match count {
            0 => String::new(),
            // The subject has its summary.
            1 if self.digest.items.len() == 1 => "There is no room here for more.\n".to_owned(),
            _ if count == self.digest.more + self.digest.items.len() => {
                format!("{count} alerts, for which there is no room here.\n")
            }
            _ => format!("… and {count} more.\n"),
        }
    }

    fn in_full(&self, item: &Item) -> String {
        let mut text = format!("{} ({})\n", item.words.summary, state(item));
        if !item.words.description.is_empty() {
            let _ = writeln!(text, "{}", item.words.description);
        }
        let _ = writeln!(text, "{}", self.period(item));
        if item.news.is_firing() && !item.words.remedy.is_empty() {
            let _ = writeln!(text, "What to do: {}", item.words.remedy);
        } else if item.news == News::WasMissed && !item.words.remedy.is_empty() {
            let _ = writeln!(text, "If it comes back: {}", item.words.remedy);
        }
        let labels: Vec<String> = item
            .labels
            .iter()
            .filter(|(name, _)| !matches!(&***name, "alertname" | "severity"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let _ = writeln!(text, "{} {}", item.name(), labels.join(" "));
        text.truncate(text.trim_end().len());
        text + "\n\n"
    }

    fn in_a_line(&self, item: &Item) -> String {
        format!("- {}: {}. {}\n", state(item), item.words.summary, self.period(item))
    }

    /// Since when, until when, and how often.
    pub fn period(&self, item: &Item) -> String {
        let mut text = match item.news.is_firing() {
            true => format!("Since {}, still so", self.time(item.since)),
            false => format!("From {} to {}", self.time(item.since), self.time(item.until)),
        };
        if item.times > 1 {
            let _ = write!(text, ", {} times", item.times);
        }
        text + "."
    }

    /// A time as people read it, with what tells the zone.
    fn time(&self, ms: i64) -> String {
        match Timestamp::from_millisecond(ms) {
            Ok(time) => time
                .to_zoned(self.zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %:z")
                .to_string(),
            Err(_) => format!("{ms} ms after 1970"),
        }
    }
}

/// How bad it is, and whether it is over.
fn state(item: &Item) -> String {
    let severity = item.severity().name();
    match item.news {
        News::Fires => severity.to_owned(),
        News::StillFires => format!("still {severity}"),
        News::WasMissed => format!("{severity}, over again"),
        News::Ended => "over".to_owned(),
    }
}

#[cfg(test)]
mod tests;
