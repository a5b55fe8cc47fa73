//! What the system says about this process.

use std::time::Duration;

/// CPU time that this process has used, in user and in kernel mode.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    pub user: Duration,
    pub system: Duration,
}

impl Cpu {
    #[cfg(target_os = "linux")]
    pub fn now() -> Cpu {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeVal;
        let micros = |time: TimeVal| {
            let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
            Duration::from_micros(u64::try_from(micros).unwrap_or_default())
        };
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system knows its own process");
        Cpu {
            user: micros(usage.user_time()),
            system: micros(usage.system_time()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn now() -> Cpu {
        panic!("this bench knows how to measure on Linux only");
    }

    /// What was used since `earlier`.
    pub fn since(self, earlier: Cpu) -> Cpu {
        Cpu {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    pub fn seconds(self) -> f64 {
        (self.user + self.system).as_secs_f64()
    }
}

/// Resident memory of this process, in octets.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Ticks of all processors, and those that the hypervisor gave to others.
pub fn stolen() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .flat_map(str::parse)
        .collect();
    (
        ticks.iter().take(8).sum(),
        ticks.get(7).copied().unwrap_or(0),
    )
}
