//! `vcam demo`: the whole call, for every make, on this machine.

mod actor;
mod features;
mod h265;
mod speech;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::Cell;
use serde_json::json;

use super::failure::Failure;
use super::screen::Screen;
use super::stop::Stop;
use super::table;
use super::words;
use crate::api::{Clip, Platform};
use crate::media::MediaTransport;
use crate::profile::Profile;
use crate::sip::Transport;
use actor::Actor;

/// What every camera and the platform share.
const PASSWORD: &str = "12345678";

/// How each camera's signalling and media travel, by turns.
const PATHS: [(Transport, MediaTransport); 4] = [
    (Transport::Tcp, MediaTransport::TcpActive),
    (Transport::Udp, MediaTransport::TcpPassive),
    (Transport::Udp, MediaTransport::Udp),
    (Transport::Udp, MediaTransport::TcpActive),
];

/// Show everything at once: a platform and a camera of each make, on this machine
///
/// The cameras register with a password, the platform asks for their catalogues, calls each over
/// its own transport, receives for some seconds and compares every frame with the file. Nothing
/// needs to be installed, no port needs to be free, nothing leaves this machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vcam demo
  vcam demo --seconds 20
  vcam demo --all
  vcam demo --json | jq .clean

Exit codes: 0 every frame was right, 1 something was not.")]
pub(super) struct Arguments {
    /// How long the cameras stream
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Feature after feature, between one camera and the platform, each with a verdict
    #[arg(long, conflicts_with = "seconds")]
    all: bool,
    /// The result as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (1.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 1 to 86400 is wanted".to_owned()),
    }
}

/// Runs the demo.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.all {
        return all(arguments.json).await;
    }
    let demo = Demo {
        screen: Screen::new(),
        quiet: arguments.json,
        time: Duration::from_secs_f64(arguments.seconds),
        stop: Stop::listen()?,
        began: Instant::now(),
    };
    demo.play().await
}

/// Every feature, and what was seen of it.
async fn all(as_json: bool) -> Result<(), Failure> {
    let (screen, mut stop) = (Screen::new(), Stop::listen()?);
    let began = Instant::now();
    if !as_json {
        screen.line(format_args!(
            "vcam {}: a platform tries a camera, feature by feature, real SIP and RTP on loopback\n",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let rows = tokio::select! {
        rows = features::play() => rows?,
        () = stop.asked() => return Err(Failure::Short("stopped before the end".to_owned())),
    };
    let failed = rows.iter().filter(|row| row.seen.is_err()).count();
    match as_json {
        true => print_features(screen, &rows),
        false => show_features(screen, &rows),
    }
    if failed == 0 && !as_json {
        let (all, took) = (rows.len(), began.elapsed().as_secs_f64());
        let words = format!("All {all} features came out as they should.");
        screen.line(format_args!("\n{} ({took:.1} s)", screen.good(&words)));
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Short(format!(
            "{failed} of {} features failed",
            rows.len()
        ))),
    }
}

fn show_features(screen: Screen, rows: &[features::Row]) {
    let mut table = table::titled(screen, &["feature", "GB/T 28181", "verdict"]);
    for row in rows {
        let (Ok(text) | Err(text)) = &row.seen;
        table.add_row([
            Cell::new(row.name),
            Cell::new(row.clause),
            table::judged(row.seen.is_ok(), text),
        ]);
    }
    for line in table::lines(&table) {
        screen.line(line);
    }
}

fn print_features(screen: Screen, rows: &[features::Row]) {
    let row = |row: &features::Row| {
        let (Ok(text) | Err(text)) = &row.seen;
        json!({"feature": row.name, "clause": row.clause, "ok": row.seen.is_ok(), "seen": text})
    };
    let clean = rows.iter().all(|row| row.seen.is_ok());
    let features: Vec<_> = rows.iter().map(row).collect();
    let result = json!({"clean": clean, "features": features});
    screen.line(format_args!("{result:#}"));
}

struct Demo {
    screen: Screen,
    quiet: bool,
    time: Duration,
    stop: Stop,
    began: Instant,
}

impl Demo {
    async fn play(self) -> Result<(), Failure> {
        let platform = Arc::new(Platform::builder().password(PASSWORD).start().await?);
        self.introduce(&platform);
        let mut actors = self.act(self.cast(&platform)?).await;
        actors = each(actors, Actor::say_goodbye).await;
        let complaints = platform.complaints().len();
        if let Some(platform) = Arc::into_inner(platform) {
            platform.shut_down().await?;
        }
        self.judge(&actors, complaints)
    }

    /// All they have to do, or as much of it as there is time for until the end is asked for.
    async fn act(&self, mut actors: Vec<Actor>) -> Vec<Actor> {
        self.title("They register, and the platform asks what they are:");
        actors = each(actors, Actor::register).await;
        actors = each(actors, Actor::answer).await;
        self.report(&actors, Actor::said_about_itself);
        if self.stop.is_asked() {
            return actors;
        }
        self.title("The platform calls each of them:");
        actors = each(actors, |actor| actor.take_call(self.time)).await;
        self.report(&actors, Actor::said_about_call);
        self.receive(actors).await
    }

    fn introduce(&self, platform: &Platform) {
        let address = platform.address().address;
        self.say(format_args!(
            "{} {}: a GB/T 28181 platform and a camera of each make, real SIP and RTP on loopback",
            self.screen.bold("vcam"),
            env!("CARGO_PKG_VERSION"),
        ));
        let clip = Clip::sample();
        self.say(format_args!(
            "  platform  sip:{}@{address}, UDP and TCP",
            platform.address().id
        ));
        self.say(format_args!(
            "  video     {}: {}",
            clip.name(),
            words::clip(&clip)
        ));
    }

    /// One camera of each make; a serial number each.
    fn cast(&self, platform: &Arc<Platform>) -> Result<Vec<Actor>, Failure> {
        let paths = PATHS.into_iter().cycle();
        let mut actors = Vec::new();
        for ((name, path), serial) in Profile::names().zip(paths).zip(1..) {
            let profile = Profile::builtin(name)?;
            let (platform, stop) = (platform.clone(), self.stop.clone());
            actors.push(Actor::new(platform, profile, serial, path, stop));
        }
        Ok(actors)
    }

    /// Waits while they stream, showing how it goes.
    async fn receive(&self, actors: Vec<Actor>) -> Vec<Actor> {
        let streaming = actors.iter().filter(|actor| actor.is_streaming()).count();
        if streaming == 0 {
            return actors;
        }
        self.title("They stream:");
        let began = Instant::now();
        let news: Vec<_> = actors.iter().filter_map(Actor::news).collect();
        let received = each(actors, |actor| actor.stream(self.time));
        tokio::pin!(received);
        let mut tick = tokio::time::interval(match self.screen.is_terminal() {
            true => Duration::from_millis(200),
            false => Duration::from_secs(1).max(self.time / 10),
        });
        tick.tick().await;
        loop {
            tokio::select! {
                actors = &mut received => {
                    self.progress(began, &news, true);
                    return actors;
                }
                _ = tick.tick() => self.progress(began, &news, false),
            }
        }
    }

    fn progress(&self, began: Instant, news: &[actor::News], last: bool) {
        const CELLS: u128 = 24;
        if self.quiet {
            return;
        }
        let passed = began.elapsed().min(self.time);
        let full = (passed.as_millis() * CELLS / self.time.as_millis().max(1)) as usize;
        let verdicts: Vec<_> = news.iter().map(actor::News::verdict).collect();
        let frames: u64 = verdicts.iter().map(|verdict| verdict.frames).sum();
        let matched: u64 = verdicts.iter().map(|verdict| verdict.matched).sum();
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(CELLS as usize - full));
        let text = format!(
            "  {} {:>4.1} s  {} received, {matched} equal to the file",
            self.screen.good(&bar),
            passed.as_secs_f64(),
            words::count(frames, "frame"),
        );
        match (self.screen.is_terminal(), last || passed == self.time) {
            (true, false) => self.screen.renew(text),
            // The last line comes with the last figures.
            (_, true) if !last => {}
            _ => self.screen.line(text),
        }
    }

    fn report(&self, actors: &[Actor], what: fn(&Actor) -> Option<String>) {
        for actor in actors {
            let mark = match actor.failure() {
                None => self.screen.good("✓"),
                Some(_) => self.screen.bad("✗"),
            };
            let said = match actor.failure() {
                None => what(actor).unwrap_or_default(),
                Some(why) => why.to_owned(),
            };
            self.say(format_args!("  {mark} {:<14} {said}", actor.name()));
        }
    }

    fn judge(&self, actors: &[Actor], complaints: usize) -> Result<(), Failure> {
        let failed = failure(actors);
        if self.quiet {
            self.print_json(actors, failed.is_none());
        } else {
            self.say("");
            self.print_table(actors);
            self.sum_up(actors, complaints);
        }
        failed.map_or(Ok(()), Err)
    }

    fn print_table(&self, actors: &[Actor]) {
        let titles = ["make", "SIP", "media", "start", "frames", "verdict"];
        let mut all = table::titled(self.screen, &titles);
        for actor in actors {
            let verdict = actor.verdict();
            let text = match (actor.failure(), &verdict) {
                (None, Some(verdict)) => format!("{:.1} s equal", verdict.seconds_verified()),
                _ => "see below".to_owned(),
            };
            let first = actor.first_packet().map_or_else(String::new, words::time);
            all.add_row([
                Cell::new(actor.name()),
                Cell::new(actor.signalling()),
                Cell::new(words::media(actor.media())),
                Cell::new(first),
                Cell::new(verdict.map_or(0, |verdict| verdict.frames)),
                table::judged(actor.failure().is_none(), &text),
            ]);
        }
        for line in table::lines(&all) {
            self.say(line);
        }
        self.say("");
    }

    fn sum_up(&self, actors: &[Actor], complaints: usize) {
        let well = actors
            .iter()
            .filter(|actor| actor.failure().is_none())
            .count();
        let frames: u64 = actors
            .iter()
            .filter_map(Actor::verdict)
            .map(|v| v.matched)
            .sum();
        let took = words::time(self.began.elapsed());
        let all = actors.len();
        let words = match well == all {
            true => self.screen.good(&format!(
                "All {all} cameras registered, answered and streamed; {frames} frames compared, all \
                 equal to the file."
            )),
            false => self.screen.bad(&format!("Only {well} of {all} cameras did what they should.")),
        };
        self.say(format_args!("{words} ({took})"));
        if complaints > 0 {
            let count = words::count(complaints as u64, "deviation");
            self.say(format_args!(
                "The platform noticed {count} from the standard, as real devices of these makes have."
            ));
        }
        if well == all {
            self.say(
                "Next: vcam run --help plays a camera against your platform, vcam platform \
                 takes cameras of yours.",
            );
        }
    }

    fn print_json(&self, actors: &[Actor], clean: bool) {
        let camera = |actor: &Actor| {
            let verdict = actor.verdict();
            json!({
                "profile": actor.name(),
                "id": actor.id().to_string(),
                "signalling": actor.signalling().to_string(),
                "media": actor.media().to_string(),
                "first_packet_ms": actor.first_packet().map(|time| time.as_secs_f64() * 1e3),
                "frames": verdict.as_ref().map(|v| v.frames),
                "frames_equal": verdict.as_ref().map(|v| v.matched),
                "seconds_equal": verdict.as_ref().map(|v| v.seconds_verified()),
                "verdict": verdict.map(|v| v.to_string()),
                "error": actor.failure(),
            })
        };
        let cameras: Vec<_> = actors.iter().map(camera).collect();
        let result = json!({"clean": clean, "cameras": cameras});
        self.screen.line(format_args!("{result:#}"));
    }

    fn title(&self, text: &str) {
        self.say(format_args!("\n{text}"));
    }

    fn say(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            self.screen.line(text);
        }
    }
}

/// Lets all do the same at the same time; waits for the last.
async fn each<F>(actors: Vec<Actor>, step: impl Fn(Actor) -> F) -> Vec<Actor>
where
    F: Future<Output = Actor> + Send + 'static,
{
    let tasks: Vec<_> = actors
        .into_iter()
        .map(|actor| tokio::spawn(step(actor)))
        .collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await {
            Ok(actor) => done.push(actor),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    done
}

/// What went wrong, each with the make it befell.
fn failure(actors: &[Actor]) -> Option<Failure> {
    let why = |actor: &Actor| Some(format!("{}: {}", actor.name(), actor.failure()?));
    let whys: Vec<String> = actors.iter().filter_map(why).collect();
    (!whys.is_empty()).then(|| Failure::Short(whys.join("\n       ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_wrong_is_told_with_the_make_it_befell_and_the_rest_goes_on() {
        let platform = Platform::builder().password_of("34020000001320000002", PASSWORD);
        let platform = Arc::new(platform.start().await.unwrap());
        let profile = Profile::builtin("generic-2016").unwrap();
        let cast = [1, 2].map(|n| {
            let (platform, profile) = (platform.clone(), profile.clone());
            Actor::new(platform, profile, n, PATHS[2], Stop::by_hand().1)
        });
        let mut actors = each(cast.into(), Actor::register).await;
        actors = each(actors, Actor::answer).await;
        actors = each(actors, |actor| actor.take_call(Duration::from_secs(1))).await;
        assert!(!actors[0].is_streaming() && actors[1].is_streaming());
        let failure = failure(&actors).unwrap();
        assert!(matches!(failure, Failure::Short(_)));
        let text = failure.to_string();
        assert!(
            text.starts_with("generic-2016: camera 34020000001320000001"),
            "{text}"
        );
        assert!(text.contains("403") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn the_end_is_heeded_in_the_middle_of_a_registration() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
        };
        // A platform that nobody runs does not answer.
        let frozen = runtime().unwrap();
        let platform = Arc::new(frozen.block_on(Platform::start()).unwrap());
        let profile = Profile::builtin("generic-2016").unwrap();
        let (ask, stop) = Stop::by_hand();
        let actor = Actor::new(platform, profile, 1, PATHS[2], stop);
        runtime().unwrap().block_on(async {
            let acting = tokio::spawn(async { actor.register().await.answer().await });
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(!acting.is_finished());
            ask.send_replace(true);
            let done = tokio::time::timeout(Duration::from_secs(5), acting).await;
            let stopped = done.expect("it goes on").unwrap();
            assert_eq!(stopped.failure(), Some(actor::STOPPED));
        });
    }
}
