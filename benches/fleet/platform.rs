//! The process with the platform: it takes everything in, and says what came when its input ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use vcam::net::make_room_for_sockets;
use vcam::{Platform, Sink};

use super::clip;
use super::run::PASSWORD;

/// What the platform is to do: `CALLS/SECONDS`, calls at a time and how long the longest lasts;
/// 0 seconds: they last.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub calls: u64,
    pub lasting: u64,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
        let (calls, lasting) = text.split_once('/').ok_or("CALLS/SECONDS")?;
        Ok(Wish {
            calls: number(calls)?,
            lasting: number(lasting)?,
        })
    }
}

impl Wish {
    fn sink(&self) -> Result<Sink, Box<dyn std::error::Error>> {
        let sink = Sink::new().source(clip::clip()?);
        let longest = Duration::from_secs(self.lasting);
        // Of the streams a sample is judged, of many short ones a larger one.
        Ok(match longest.is_zero() {
            true => sink.calls(self.calls).verify_percent(0.5),
            false => sink.lasting(longest / 10..=longest).verify_percent(10.0),
        })
    }
}

pub fn run(wish: &Wish) -> Result<(), Box<dyn std::error::Error>> {
    make_room_for_sockets(wish.calls)?;
    let sink = wish.sink()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let status = runtime.block_on(async {
        let platform = Platform::builder().password(PASSWORD).sink(sink);
        let platform = platform.start().await?;
        println!("{}", platform.address().address);
        let input = || std::io::stdin().read_to_end(&mut Vec::new());
        tokio::task::spawn_blocking(input).await??;
        let watch = platform
            .sink()
            .cloned()
            .ok_or("a platform without its sink")?;
        platform.shut_down().await?;
        Ok::<_, Box<dyn std::error::Error>>(watch.status().await)
    })?;
    let mut said = json!(status);
    said["shortfalls"] = json!(status.shortfalls());
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// The platform's process, from outside.
pub struct Elsewhere {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

impl Elsewhere {
    pub fn start(wish: Wish) -> Result<Elsewhere, Box<dyn std::error::Error>> {
        let role = format!("{}/{}", wish.calls, wish.lasting);
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role", &role])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or("no way to hear it")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Elsewhere {
            child,
            input,
            output,
            address,
        })
    }

    /// Ends it: what it took in.
    pub fn end(mut self) -> Result<Value, Box<dyn std::error::Error>> {
        drop(self.input.take());
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        self.child.wait()?;
        Ok(serde_json::from_str(&line)?)
    }
}
