//! What `decrypt` reports: a summary, and the records that it skipped.

use std::collections::BTreeMap;

use orderseal::protocol::Result;
use orderseal::protocol::roles::shop::{Skipped, Summary};
use orderseal::protocol::roles::stream::Opened;
use orderseal::protocol::store::OpeningKeys;
use serde_json::json;

use super::Decrypt;
use crate::cmd::arguments::SkipReport;
use crate::cmd::batches::Batches;
use crate::cmd::{Global, ui};

impl Decrypt {
    pub(super) fn report_stream(
        &self,
        global: &Global,
        opened: &Opened,
        keys: &OpeningKeys,
    ) -> Result<()> {
        let kid = keys.name(opened.key).map_or(String::new(), |kid| kid.to_string());
        if global.json {
            let mut report = json!({
                "streams": 1,
                "bytes_read": opened.totals.read,
                "bytes_written": opened.totals.written,
                "keys": 1,
            });
            if self.ids {
                report["by_key"] = json!({ kid: 1 });
            }
            return ui::print_report(&report, self.stdout_has_data());
        }
        if self.check {
            return ui::print(&format!("1\t{}\n", ui::escaped(&kid)));
        }
        Ok(())
    }

    pub(super) fn report_summary(
        &self,
        global: &Global,
        summary: &Summary,
        keys: &OpeningKeys,
        batches: &Batches,
    ) -> Result<()> {
        if global.json {
            let shops = summary.by_shop(keys);
            let shops = shops.iter().map(|(shop, count)| (shop.as_str(), *count));
            let mut report = json!({
                "orders": summary.totals.orders,
                "failed": summary.failed,
                "bytes_read": summary.totals.read,
                "bytes_written": summary.totals.written,
                "keys": summary.keys(),
                "by_shop": shops.collect::<BTreeMap<_, _>>(),
            });
            if let Some(batches) = batches.to_json() {
                report["batches"] = batches;
            }
            if self.ids {
                report["by_key"] = json!(summary.by_key(keys));
            }
            return ui::print_report(&report, self.stdout_has_data());
        }
        if self.check {
            let by_key = summary.by_key(keys);
            let rows = by_key.iter().map(|(kid, count)| format!("{count}\t{}\n", ui::escaped(kid)));
            return ui::print(&rows.collect::<String>());
        }
        Ok(())
    }
}

/// Reports a skipped record: line, key and kind of failure, never its content. Names the file if
/// there are several.
pub fn write_skipped(report: &mut SkipReport, skipped: &Skipped, several: bool) -> Result<()> {
    let Skipped { place, kid, refused } = skipped;
    let message = refused.clone().at(place.clone()).to_string();
    let mut entry =
        json!({"line": place.line, "kid": kid, "kind": refused.kind(), "message": message});
    if several {
        entry["file"] = json!(place.file);
    }
    report.write(&entry)
}
