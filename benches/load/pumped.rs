//! A: vcam's pump on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use vcam::media::{FirstKeyFrame, SenderConfig};
use vcam::net::{Clock, Pump, PumpHandle, PumpReport};

use super::clip;
use super::machine::{self, Cores};
use super::plan::{Outcome, Over, Plan};

/// Octets before each packet on a connection.
const PREFIX: u64 = 2;

/// Sends as planned.
pub fn run(plan: Plan) -> Outcome {
    let cut = clip::cut(plan.payload);
    let pump = Pump::on_thread(Clock::start(), "pump").expect("a thread");
    let _ = report(&pump);
    let empty = machine::resident();
    let sockets = plan.sockets();
    let feeds: Vec<_> = sockets
        .into_iter()
        .enumerate()
        .map(|(index, socket)| {
            let config = SenderConfig {
                first_frame: FirstKeyFrame::OwnClock {
                    phase: plan.phase(index),
                },
                ..SenderConfig::new(cut.clone(), index as u32)
            };
            pump.add(socket, Arc::new(config), |_| {})
        })
        .collect();
    std::thread::sleep(Plan::START);
    let (cores, cpu, before) = (Cores::now(), machine::cpu(), report(&pump));
    let begun = std::time::Instant::now();
    std::thread::sleep(Duration::from_secs_f64(plan.seconds));
    let (used, after) = (machine::cpu() - cpu, report(&pump));
    let seconds = begun.elapsed().as_secs_f64();
    let resident = machine::resident();
    let mut late = after.lateness;
    late.subtract(before.lateness)
        .expect("the same histogram, earlier");
    let packets = after.counts.packets - before.counts.packets;
    let framing = if plan.over == Over::Tcp { PREFIX } else { 0 };
    let outcome = Outcome {
        cpu: used.as_secs_f64(),
        seconds,
        octets: after.counts.octets - before.counts.octets + framing * packets,
        frames: after.counts.frames - before.counts.frames,
        late: [
            late.value_at_quantile(0.5),
            late.value_at_quantile(0.99),
            late.max(),
        ],
        resident,
        clip: cut.clip().data().len() as u64,
        empty,
        stolen: Cores::now().stolen_since(cores),
    };
    drop(feeds);
    outcome
}

fn report(pump: &PumpHandle) -> PumpReport {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let report = runtime.expect("a runtime").block_on(pump.report());
    report.expect("the pump runs")
}
