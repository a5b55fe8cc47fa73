//! What signalling costs the process that plays the cameras: memory of an idle camera, CPU of a
//! registration and of keepalives, and whether a camera among many costs more than one among few.
//!
//! ```text
//! cargo bench --bench signalling                        # 10,000 cameras, and 1,000 to compare
//! cargo bench --bench signalling -- --cameras 500 --few 50 --seconds 5 --rounds 1
//! ```
//!
//! The platform is our own, in another process, so that only cameras are measured. A round is a
//! fresh process of cameras. Nothing here asserts anything: it prints a table.

mod cameras;
mod instructions;
mod measure;
mod platform;
mod table;

use std::time::Duration;

use cameras::{Plan, Sockets};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1).peekable();
    match words.peek().map(String::as_str) {
        Some("platform") => platform::run(),
        Some("cameras") => cameras::run(Plan::read(words.skip(1))?),
        _ => table::print(&Wish::read(words)?),
    }
}

/// What is asked of the bench.
struct Wish {
    /// How many cameras.
    many: u32,
    /// How many the first are compared with.
    few: u32,
    /// How long keepalives are watched.
    watch: Duration,
    /// From one Keepalive of a camera to its next.
    interval: Duration,
    rounds: usize,
}

impl Wish {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Wish, String> {
        let mut wish = Wish {
            many: 10_000,
            few: 1_000,
            watch: Duration::from_secs(60),
            interval: Duration::from_secs(60),
            rounds: 3,
        };
        while let Some(word) = words.next() {
            // What cargo adds by itself.
            if word == "--bench" {
                continue;
            }
            let value = words.next().and_then(|text| text.parse::<u32>().ok());
            let value = value.ok_or_else(|| format!("{word} wants a number"))?;
            match word.as_str() {
                "--cameras" => wish.many = value,
                "--few" => wish.few = value,
                "--seconds" => wish.watch = Duration::from_secs(value.into()),
                "--interval" => wish.interval = Duration::from_secs(value.into()),
                "--rounds" => wish.rounds = value as usize,
                _ => return Err(format!("{word} is not known")),
            }
        }
        Ok(wish)
    }

    fn plan(&self, cameras: u32, sockets: Sockets) -> Plan {
        Plan {
            cameras,
            sockets,
            watch: self.watch,
            interval: self.interval,
            platform: None,
        }
    }
}
