//! What the media plane costs, beside a bare loop that does nothing but write:
//!
//! ```sh
//! cargo bench --bench load
//! ```
//!
//! A is a pump with its senders, B the bare loop: the same clip, the same number of slices a frame,
//! the same tick, the same kind of sockets, a sink in another process. They take turns, each round
//! with processes of its own; sender and sink have a core each. Ratios and differences are taken
//! within a round; the table shows medians and the least and most of all rounds.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod bars;
#[cfg(target_os = "linux")]
mod clip;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod pumped;
#[cfg(target_os = "linux")]
mod round;
#[cfg(target_os = "linux")]
mod sink;

#[cfg(target_os = "linux")]
fn main() {
    use clap::Parser;
    let options = bars::Options::parse();
    machine::open_files();
    let Some(plan) = options.plan() else {
        return bars::run(&options);
    };
    match options.role.as_deref() {
        Some("sink") => {
            machine::pin(1);
            sink::run(plan.over, plan.streams);
        }
        Some("pump") => {
            machine::pin(0);
            pumped::run(plan).tell();
        }
        Some("bare") => {
            machine::pin(0);
            bare::run(plan).tell();
        }
        other => panic!("{other:?} is no role"),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the load bench measures on Linux only");
}
