//! Programs of others as judges: found or failed, bounded in time, ended whatever happens.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How often something awaited is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How long a program may take to end when asked.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running program with a folder of its own. Dropping it ends it and all it has started.
pub struct Running {
    name: String,
    child: Child,
    folder: TempDir,
}

/// What a program left behind.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// Where it ran, with the files it wrote.
    pub folder: TempDir,
}

impl Running {
    /// Starts a program in a new folder with these files (name, content), and in a process group
    /// of its own. A program that is not there fails the test: a judge that cannot judge has not
    /// acquitted.
    pub fn start(command: &mut Command, files: &[(&str, &[u8])]) -> Running {
        let name = command.get_program().to_string_lossy().into_owned();
        let folder = TempDir::new().expect("a temporary folder");
        for (file, content) in files {
            std::fs::write(folder.path().join(file), content).expect("room for its files");
        }
        let log = |what| File::create(folder.path().join(what)).expect("a file in it");
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be run: {error} (is it installed?)"));
        Running {
            name,
            child,
            folder,
        }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has said until now.
    pub fn said(&self) -> String {
        self.read("stdout") + &self.read("stderr")
    }

    /// Waits until something is so; fails when the program ends before, or when it takes too long.
    pub fn until(&mut self, what: &str, limit: Duration, is: impl Fn(&Running) -> bool) {
        let end = Instant::now() + limit;
        while !is(self) {
            assert!(self.runs(), "{} ended: {}", self.name, self.said());
            let said = self.said();
            assert!(Instant::now() < end, "{}: not {what}: {said}", self.name);
            std::thread::sleep(GLANCE);
        }
    }

    /// Waits for its end.
    pub fn finish(mut self, limit: Duration) -> Finished {
        let end = Instant::now() + limit;
        while self.runs() {
            let said = self.said();
            assert!(Instant::now() < end, "{} does not end: {said}", self.name);
            std::thread::sleep(GLANCE);
        }
        self.finished()
    }

    /// Asks it to end as Ctrl-C does, and waits for it.
    pub fn interrupt(mut self) -> Finished {
        self.signal(Signal::SIGINT);
        let end = Instant::now() + FAREWELL;
        while self.runs() && Instant::now() < end {
            std::thread::sleep(GLANCE);
        }
        self.finished()
    }

    fn finished(mut self) -> Finished {
        self.end();
        let status = self.child.wait().expect("its exit status");
        let folder = TempDir::new().expect("a temporary folder");
        Finished {
            status,
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
            folder: std::mem::replace(&mut self.folder, folder),
        }
    }

    fn read(&self, what: &str) -> String {
        let octets = std::fs::read(self.folder.path().join(what)).unwrap_or_default();
        String::from_utf8_lossy(&octets).into_owned()
    }

    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.child.id()).expect("a process id");
        // It may have ended just now.
        let _ = killpg(Pid::from_raw(group), signal);
    }

    fn end(&mut self) {
        self.signal(Signal::SIGTERM);
        let end = Instant::now() + FAREWELL;
        while self.runs() && Instant::now() < end {
            std::thread::sleep(GLANCE);
        }
        self.signal(Signal::SIGKILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// The files it wrote whose names contain `part`, for a failure's message.
    pub fn files(&self, part: &str) -> String {
        let entries = std::fs::read_dir(self.folder.path()).into_iter().flatten();
        let named = entries.flatten().filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().contains(part)
        });
        let texts = named.filter_map(|entry| std::fs::read(entry.path()).ok());
        texts
            .map(|octets| String::from_utf8_lossy(&octets).into_owned())
            .collect()
    }

    /// Its standard output, if it succeeded without a message.
    pub fn silent(self) -> String {
        let Finished {
            status,
            stdout,
            stderr,
            ..
        } = self;
        assert!(status.success() && stderr.is_empty(), "{status}: {stderr}");
        stdout
    }
}

/// Runs a program to its end, in a new folder with these files.
pub fn run(command: &mut Command, files: &[(&str, &[u8])], limit: Duration) -> Finished {
    Running::start(command, files).finish(limit)
}

/// A port that is free on 127.0.0.1 for UDP and for TCP, and that nobody is given who asks for any
/// port: it lies below those that the kernel hands out.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let here = Ipv4Addr::LOCALHOST;
    // Processes begin at different places, so that two of them rarely try the same.
    let offset = std::process::id() as u16;
    let is_free = |port: &u16| {
        TcpListener::bind((here, *port)).is_ok() && UdpSocket::bind((here, *port)).is_ok()
    };
    let mut tried = (0..256).map(|_| {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7);
        20_000 + offset.wrapping_mul(97).wrapping_add(nth) % 10_000
    });
    tried
        .find(is_free)
        .expect("a port that is free for both UDP and TCP")
}

/// Whether somebody has bound `port`, looked up without touching it.
pub fn is_bound(table: Table, port: u16) -> bool {
    let (file, state) = match table {
        Table::Udp => ("/proc/net/udp", None),
        Table::Tcp => ("/proc/net/tcp", Some("0A")),
    };
    let port = format!(":{port:04X}");
    let text = std::fs::read_to_string(file).expect("Linux tells who listens");
    text.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace();
        let local = words.nth(1).is_some_and(|local| local.ends_with(&port));
        local && state.is_none_or(|state| words.nth(1) == Some(state))
    })
}

/// Where bound ports are looked up.
#[derive(Clone, Copy, Debug)]
pub enum Table {
    Udp,
    Tcp,
}
