//! What the machine says: CPU time, memory, stolen time; and what it is asked for.

use std::fs;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

/// CPU time of this process, user and system.
pub fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage knows this process");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros as u64)
}

/// Octets of this process in memory.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilo = line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
    });
    kilo.unwrap_or(0) * 1024
}

/// Time of all cores: what the host took away, and all there was, in clock ticks.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    stolen: u64,
    all: u64,
}

impl Cores {
    /// Up to now.
    pub fn now() -> Cores {
        const STEAL: usize = 7;
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        let ticks = line.split_whitespace().skip(1).take(STEAL + 1);
        let ticks: Vec<u64> = ticks.filter_map(|tick| tick.parse().ok()).collect();
        Cores {
            stolen: ticks.get(STEAL).copied().unwrap_or(0),
            all: ticks.iter().sum(),
        }
    }

    /// The share that was stolen since `earlier`.
    pub fn stolen_since(self, earlier: Cores) -> f64 {
        let all = (self.all - earlier.all).max(1);
        (self.stolen - earlier.stolen) as f64 / all as f64
    }
}

/// Keeps this process on one core, where there are several.
pub fn pin(core: usize) {
    let mut cores = CpuSet::new();
    let many = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > core);
    if many && cores.set(core).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &cores);
    }
}

/// Asks for as many open files as the system grants.
pub fn open_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// The processor's name and the number of cores.
pub fn name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("?").trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, {model}, Linux {}", kernel.trim())
}
