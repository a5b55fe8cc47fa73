//! Runs the rounds and prints what they showed: the median, and the least and most of all rounds.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Wish;
use super::cameras::{Plan, Seen, Sockets};
use super::instructions;
use super::measure::stolen;

/// A share of stolen time beyond which a round says nothing.
const MAX_STOLEN: f64 = 0.01;

/// How often a round that says nothing is repeated.
const PATIENCE: usize = 3;

pub fn print(wish: &Wish) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "rounds: {}, keepalive every {:?}",
        wish.rounds, wish.interval
    );
    for sockets in [Sockets::Own, Sockets::Shared] {
        // Only registering is compared with few.
        let few = Plan {
            watch: Duration::from_secs(1),
            ..wish.plan(wish.few, sockets)
        };
        let few = rounds(wish, few)?;
        let many = rounds(wish, wish.plan(wish.many, sockets))?;
        show(wish.few, sockets, &few);
        show(wish.many, sockets, &many);
        let per = |seen: &[Seen], of: u32| spread(seen, |s| s.registering / f64::from(of)).median;
        let growth = per(&many, wish.many) / per(&few, wish.few);
        let (many, few) = (wish.many, wish.few);
        println!("\nCPU per registration, {many} against {few}: {growth:.2} x (bar: 1.25)");
    }
    instructions::print(wish)
}

fn show(cameras: u32, sockets: Sockets, seen: &[Seen]) {
    let n = f64::from(cameras);
    println!("\n{cameras} cameras, {sockets:?} sockets            median (least .. most)");
    let row = |what: &str, unit: &str, of: &dyn Fn(&Seen) -> f64| {
        let Spread {
            least,
            median,
            most,
        } = spread(seen, of);
        println!("  {what:<38} {median:9.2} ({least:.2} .. {most:.2}) {unit}");
    };
    row("register, all", "s CPU", &|s| s.registering);
    row("register, each", "us CPU", &|s| s.registering / n * 1e6);
    row("  of which in user mode", "us CPU", &|s| {
        s.registering_user / n * 1e6
    });
    row("resident per idle camera", "KiB", &|s| s.memory / 1024.0);
    row("idle, with keepalives", "% of a core", &|s| s.idle * 100.0);
    row("keepalives answered", "", &|s| s.kept as f64);
    row("failures", "", &|s| s.failed as f64);
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

fn spread(seen: &[Seen], of: impl Fn(&Seen) -> f64) -> Spread {
    let mut all: Vec<f64> = seen.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    Spread {
        least: all[0],
        median: all[all.len() / 2],
        most: all[all.len() - 1],
    }
}

fn rounds(wish: &Wish, plan: Plan) -> Result<Vec<Seen>, Box<dyn std::error::Error>> {
    (0..wish.rounds.max(1)).map(|_| quiet_round(plan)).collect()
}

/// A round in which the machine was not stolen from, if that can be had.
fn quiet_round(plan: Plan) -> Result<Seen, Box<dyn std::error::Error>> {
    for _ in 1..PATIENCE {
        let (all, theirs) = stolen();
        let seen = round(plan)?;
        let (all_now, theirs_now) = stolen();
        let share = (theirs_now - theirs) as f64 / (all_now - all).max(1) as f64;
        if share <= MAX_STOLEN {
            return Ok(seen);
        }
        println!(
            "a round is repeated: {:.1} % of the time was stolen",
            share * 100.0
        );
    }
    println!("no quiet round was to be had: the next one counts, whatever was stolen");
    round(plan)
}

fn round(mut plan: Plan) -> Result<Seen, Box<dyn std::error::Error>> {
    let (mut platform, at) = platform()?;
    plan.platform = Some(at);
    let cameras = itself("cameras")?
        .args(plan.words())
        .stderr(Stdio::inherit())
        .output()?;
    // The end of its input ends it.
    drop(platform.stdin.take());
    platform.wait()?;
    Ok(String::from_utf8(cameras.stdout)?.trim().parse()?)
}

pub fn platform() -> Result<(Child, SocketAddr), Box<dyn std::error::Error>> {
    let mut child = itself("platform")?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let out = child.stdout.take().ok_or("no way to hear the platform")?;
    BufReader::new(out).read_line(&mut line)?;
    Ok((child, line.trim().parse()?))
}

fn itself(role: &str) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}
