//! What a plan needs of the machine, before anything starts.

use super::address::Addresses;
use super::plan::Plan;
use crate::sip::Transport;

/// Descriptors of one media stream: the socket it was opened with, and its way to the peer (the
/// accepted connection, or a second handle of the UDP socket). A camera that connects itself has
/// one less.
const PER_STREAM: usize = 2;

/// Descriptors that are always there: standard streams, the runtime, reports.
const ALWAYS: usize = 64;

/// Resident octets of an idle camera with a socket of its own (`cargo bench --bench signalling`).
const IDLE_CAMERA: u64 = 7 * 1024;

/// Resident octets that a call adds, beyond its clip (`cargo bench --bench fleet`).
const STREAM: u64 = 9 * 1024;

/// What a plan needs of the machine, when the platform watches every channel of every camera
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Descriptors for UDP signalling.
    pub sip_udp: usize,
    /// Descriptors for TCP signalling: a connection per camera.
    pub sip_tcp: usize,
    /// Streams at once.
    pub streams: usize,
    /// Descriptors for them, RTCP apart.
    pub media: usize,
    /// Descriptors for RTCP.
    pub rtcp: usize,
    /// Descriptors for everything else.
    pub others: usize,
    /// Local IP addresses that the machine must have; 1: any.
    pub addresses: usize,
    /// Memory.
    pub memory: Memory,
}

/// Resident memory in octets, estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Cameras.
    pub cameras: u64,
    /// What streams add.
    pub streams: u64,
    /// Clips, each once.
    pub clips: u64,
}

/// A setting that would need fewer descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saving {
    /// As it would stand in the fleet file.
    pub setting: &'static str,
    /// How many fewer.
    pub descriptors: usize,
}

impl Needs {
    /// What this process needs for its slice of the fleet.
    pub fn of(plan: &Plan) -> Needs {
        let udp = plan.signalling(Transport::Udp);
        let streams = plan.channels();
        let clips = plan.media.iter().map(|clip| clip.octets).sum();
        Needs {
            sip_udp: match plan.addresses {
                Addresses::SharedSocket { .. } => udp.min(1),
                Addresses::OwnPort { .. } | Addresses::OwnIp { .. } => udp,
            },
            sip_tcp: plan.signalling(Transport::Tcp),
            streams,
            media: streams * PER_STREAM,
            rtcp: if plan.rtcp { streams } else { 0 },
            others: ALWAYS,
            addresses: match plan.addresses {
                Addresses::OwnIp { .. } => plan.len(),
                Addresses::SharedSocket { .. } | Addresses::OwnPort { .. } => 1,
            },
            memory: Memory {
                cameras: plan.len() as u64 * IDLE_CAMERA,
                streams: streams as u64 * STREAM,
                clips,
            },
        }
    }

    /// All descriptors.
    pub fn descriptors(&self) -> usize {
        self.sip_udp + self.sip_tcp + self.media + self.rtcp + self.others
    }

    /// As few as can do: every camera connects itself, as with `setup:active` media. Platforms that
    /// ask for UDP or connect to the cameras need [all](Self::descriptors).
    pub fn least_descriptors(&self) -> usize {
        self.descriptors() - self.media + self.streams
    }

    /// The settings that would need fewer descriptors, the largest saving first.
    pub fn savings(&self) -> Vec<Saving> {
        let shared = Saving {
            setting: "[addresses] mode = \"shared-socket\"",
            descriptors: self.sip_udp.saturating_sub(1),
        };
        let udp = Saving {
            setting: "transport = \"udp\" with [addresses] mode = \"shared-socket\"",
            descriptors: self.sip_tcp.saturating_sub(1),
        };
        let rtcp = Saving {
            setting: "rtcp = false",
            descriptors: self.rtcp,
        };
        let mut savings = vec![shared, udp, rtcp];
        savings.retain(|saving| saving.descriptors > 0);
        savings.sort_by_key(|saving| std::cmp::Reverse(saving.descriptors));
        savings
    }
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.cameras + self.streams + self.clips
    }
}
