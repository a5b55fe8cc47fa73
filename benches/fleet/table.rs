//! What was found, line by line.

use comfy_table::presets::ASCII_MARKDOWN;
use serde_json::Value;

pub struct Table {
    table: comfy_table::Table,
    is_sound: bool,
}

impl Table {
    pub fn new() -> Table {
        let mut table = comfy_table::Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(["what", "vcam", "bar", ""]);
        Table {
            table,
            is_sound: true,
        }
    }

    /// Something counted that has to be so many.
    pub fn counted(&mut self, what: &str, count: u64, wanted: u64) {
        self.is_sound &= count == wanted;
        self.row(what, count.to_string(), wanted.to_string(), count == wanted);
    }

    /// Something measured that has a bar.
    pub fn bar(&mut self, what: &str, figure: f64, most: f64) {
        let (shown, bar) = (format!("{figure:.1}"), format!("<= {most}"));
        self.is_sound &= figure <= most;
        self.row(what, shown, bar, figure <= most);
    }

    /// Something measured.
    pub fn figure(&mut self, what: &str, figure: f64) {
        self.row(what, format!("{figure:.1}"), String::new(), true);
    }

    /// The streams that were judged.
    pub fn clean(&mut self, what: &str, sink: &Value) {
        let count = |what: &str| sink["verified"][what].as_u64().unwrap_or(0);
        self.is_sound &= count("streams") > 0;
        self.counted(what, count("clean"), count("streams"));
    }

    /// Whatever else the sink missed. A device that is being switched off may say so to the INVITE
    /// that meets it.
    pub fn shortfalls(&mut self, sink: &Value) {
        for shortfall in sink["shortfalls"].as_array().into_iter().flatten() {
            self.is_sound &= shortfall.as_str().is_some_and(|why| why.contains(": 480 "));
            eprintln!("the platform fell short: {shortfall}");
        }
        for example in sink["examples"].as_array().into_iter().flatten() {
            eprintln!("  for example {example}");
        }
    }

    fn row(&mut self, what: &str, figure: String, bar: String, is_met: bool) {
        let missed = if is_met { "" } else { "MISSED" };
        self.table.add_row([what, &figure, &bar, missed]);
    }

    /// Whether nothing was lost or left over.
    pub fn is_sound(&self) -> bool {
        self.is_sound
    }

    pub fn print(&self) {
        println!("{}", self.table);
    }
}
