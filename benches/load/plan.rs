//! What is measured once: the load, and what came of it.

use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::SockRef;
use vcam::net::Socket;

use super::clip::{FPS, FRAMES};

/// How media travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    Tcp,
    Udp,
}

/// A load.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub over: Over,
    pub streams: usize,
    /// Octets of RTP payload of a frame.
    pub payload: usize,
    /// Seconds that are measured, after a start that is not.
    pub seconds: f64,
}

/// What a sender did in the measured time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// CPU time of the process in seconds.
    pub cpu: f64,
    /// Measured time in seconds.
    pub seconds: f64,
    /// Octets handed to the kernel.
    pub octets: u64,
    /// Frames wholly written.
    pub frames: u64,
    /// Frames begun in time, in microseconds late: median, 99th of a hundred, worst.
    pub late: [u64; 3],
    /// Octets of the process in memory.
    pub resident: u64,
    /// Octets of the clip, which are among them.
    pub clip: u64,
    /// Octets of the process in memory before the first stream, the clip among them.
    pub empty: u64,
    /// Share of the machine's time that the host took away.
    pub stolen: f64,
}

impl Plan {
    /// Every stream has begun, and TCP has found its pace.
    pub const START: Duration = Duration::from_millis(3500);

    /// When the first frame of stream `index` is due, after the origin of time, once more after
    /// every loop of the clip: streams are spread over it evenly.
    pub fn phase(&self, index: usize) -> Duration {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let turns = (index as f64 * GOLDEN).fract();
        Duration::from_secs_f64(turns * FRAMES as f64 / FPS as f64)
    }

    /// Frames that fall due in the measured time.
    pub fn due(&self, seconds: f64) -> f64 {
        self.streams as f64 * FPS as f64 * seconds
    }

    /// Sockets to the sink, whose ports are on standard input.
    pub fn sockets(&self) -> Vec<Socket> {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.expect("the sink's ports come in");
        let ports = line.split_whitespace().filter_map(|port| port.parse().ok());
        let ports: Vec<u16> = ports.collect();
        let port = |index| ports.get(index).or(ports.first()).copied();
        let sockets = (0..self.streams).map(|index| self.socket(port(index).expect("a port")));
        sockets.collect()
    }

    fn socket(&self, port: u16) -> Socket {
        let sink = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match self.over {
            Over::Tcp => {
                let stream = TcpStream::connect(sink).expect("the sink accepts");
                // Thousands of connections a minute must not use up the ports.
                let abort = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                abort.expect("linger is known");
                stream.set_nonblocking(true).expect("non-blocking");
                Socket::Tcp(stream)
            }
            Over::Udp => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
                socket.connect(sink).expect("a route");
                socket.set_nonblocking(true).expect("non-blocking");
                Socket::Udp {
                    rtp: Arc::new(socket),
                    rtcp: None,
                    each_alone: false,
                }
            }
        }
    }
}

impl Outcome {
    /// Writes it where [`super::round`] reads it.
    pub fn tell(&self) {
        let line = serde_json::to_string(self).expect("numbers can be written");
        println!("{line}");
        std::io::stdout().flush().expect("somebody listens");
    }

    /// CPU seconds for a gigabit.
    pub fn cost(&self) -> f64 {
        self.cpu / (self.octets as f64 * 8e-9).max(1e-9)
    }

    /// Per cent of a core for a stream.
    pub fn share(&self, plan: &Plan) -> f64 {
        100.0 * self.cpu / self.seconds / plan.streams as f64
    }

    /// Octets in memory that a stream costs.
    pub fn each(&self, plan: &Plan) -> f64 {
        self.resident.saturating_sub(self.empty) as f64 / plan.streams as f64
    }

    /// Octets in memory beside the clip.
    pub fn own(&self) -> f64 {
        self.resident.saturating_sub(self.clip) as f64
    }
}
