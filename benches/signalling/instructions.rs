//! How many instructions a registration takes among many cameras and among few, which no other
//! process and no cache disturbs: counted by valgrind, where there is one.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::Wish;
use super::cameras::{Plan, Sockets};
use super::table::platform;

/// No keepalives but the first.
const INTERVAL: Duration = Duration::from_secs(3600);

pub fn print(wish: &Wish) -> Result<(), Box<dyn std::error::Error>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("\ninstructions are counted where valgrind is installed");
        return Ok(());
    }
    let (many, few, least) = (wish.many, wish.few, wish.few / 10);
    let [at_least, at_few, at_many] = [least, few, many].map(|cameras| count(wish, cameras));
    let (at_least, at_few, at_many) = (at_least?, at_few?, at_many?);
    let each = |more: u64, less: u64, cameras: u32| (more - less) as f64 / f64::from(cameras);
    let among_few = each(at_few, at_least, few - least);
    let among_many = each(at_many, at_few, many - few);
    println!(
        "\ninstructions per camera that registers and sends a Keepalive: {:.0} from {least} to \
         {few} cameras, {:.0} from {few} to {many}: {:.2} x (bar: 1.05)",
        among_few,
        among_many,
        among_many / among_few
    );
    Ok(())
}

/// Instructions of the process in which so many cameras register.
fn count(wish: &Wish, cameras: u32) -> Result<u64, Box<dyn std::error::Error>> {
    let (mut platform, at) = platform()?;
    let plan = Plan {
        watch: Duration::ZERO,
        interval: INTERVAL,
        platform: Some(at),
        ..wish.plan(cameras, Sockets::Own)
    };
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .arg("cameras")
        .args(plan.words())
        .stdin(Stdio::null())
        .output()?;
    drop(platform.stdin.take());
    platform.wait()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("Collected"));
    let number = line.and_then(|line| line.rsplit(' ').next());
    let number = number.ok_or_else(|| format!("valgrind said {said}"))?;
    Ok(number.parse()?)
}
