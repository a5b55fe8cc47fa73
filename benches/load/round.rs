//! Rounds: A and B in turn, each in a process of its own with a sink of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::plan::{Outcome, Plan};

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Pump,
    Bare,
}

/// What A and B did under the same load, one straight after the other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub pump: Outcome,
    pub bare: Outcome,
}

/// All rounds of a load.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    pub pairs: Vec<Pair>,
    /// Rounds that were repeated because the host took time away.
    pub stolen: usize,
}

/// A round in which more was stolen is repeated.
const STOLEN: f64 = 0.01;

/// Measures `plan` in so many rounds; stolen ones are repeated, but not for ever.
pub fn rounds(plan: &Plan, rounds: usize) -> Rounds {
    let mut all = Rounds::default();
    while all.pairs.len() < rounds {
        let pair = pair(plan, (all.pairs.len() + all.stolen) % 2 == 0);
        let stolen = pair.pump.stolen.max(pair.bare.stolen) > STOLEN;
        eprintln!(
            "  {:?} {} streams: pump {:.4} bare {:.4} CPU-s/Gbit, p99 late {} and {} us, stolen {:.2} %{}",
            plan.over,
            plan.streams,
            pair.pump.cost(),
            pair.bare.cost(),
            pair.pump.late[1],
            pair.bare.late[1],
            100.0 * pair.pump.stolen.max(pair.bare.stolen),
            if stolen { ": repeated" } else { "" },
        );
        if stolen && all.stolen < 2 * rounds {
            all.stolen += 1;
        } else {
            all.pairs.push(pair);
        }
    }
    all
}

fn pair(plan: &Plan, pump_first: bool) -> Pair {
    if pump_first {
        let pump = once(plan, Who::Pump);
        let bare = once(plan, Who::Bare);
        Pair { pump, bare }
    } else {
        let bare = once(plan, Who::Bare);
        let pump = once(plan, Who::Pump);
        Pair { pump, bare }
    }
}

/// One measurement.
pub fn once(plan: &Plan, who: Who) -> Outcome {
    let (mut sink, mut from_sink) = spawn("sink", plan);
    let mut ports = String::new();
    let read = from_sink.read_line(&mut ports);
    read.expect("the sink says its ports");
    let role = match who {
        Who::Pump => "pump",
        Who::Bare => "bare",
    };
    let (mut sender, mut from_sender) = spawn(role, plan);
    let mut to_sender = sender.stdin.take().expect("piped");
    to_sender.write_all(ports.as_bytes()).expect("it listens");
    let mut outcome = String::new();
    let read = from_sender.read_to_string(&mut outcome);
    read.expect("the sender says what it did");
    let ended = sender.wait().expect("it ends");
    assert!(ended.success(), "the {role} failed");
    drop(sink.stdin.take());
    sink.wait().expect("it ends");
    serde_json::from_str(&outcome).expect("the sender writes what it measured")
}

fn spawn(role: &str, plan: &Plan) -> (Child, BufReader<ChildStdout>) {
    let own = std::env::current_exe().expect("this program has a file");
    let plan = serde_json::to_string(plan).expect("a plan can be written");
    let mut child = Command::new(own)
        .args(["--role", role, "--plan", &plan])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let out = child.stdout.take().expect("piped");
    (child, BufReader::new(out))
}
