//! The bars of the media plane, and the table.

use clap::Parser;
use comfy_table::{Table, presets::ASCII_MARKDOWN};

use super::machine;
use super::plan::{Outcome, Over, Plan};
use super::round::{Pair, Rounds, Who, once, rounds};

/// Octets of a frame of 2 Mbit/s: seven full packets.
const TWO_MEGABITS: usize = 7 * 1400;

/// Octets of a frame of 1 Mbit/s: three full packets and one of 800.
const ONE_MEGABIT: usize = 5000;

/// Frames that must leave for a load to count as sustained.
const SUSTAINED: f64 = 0.999;

/// Frames of which a round must have sent this share, A as well as B, for their figures to be set
/// against each other: whoever sends less has less to do and drops what would have been late.
const COMPARABLE: f64 = 0.995;

#[derive(Debug, Parser)]
#[command(about = "Measures the media plane beside a bare loop")]
pub struct Options {
    /// Rounds of each load.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Streams of the large loads.
    #[arg(long, default_value_t = 2000)]
    streams: usize,
    /// Streams of the small load.
    #[arg(long, default_value_t = 200)]
    few: usize,
    /// Measured seconds of a round.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Only bars whose name contains this: tcp, udp, few, most.
    #[arg(long)]
    only: Option<String>,
    /// What a process of the bench does.
    #[arg(long, hide = true)]
    pub role: Option<String>,
    #[arg(long, hide = true)]
    plan: Option<String>,
    /// Cargo says so.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The load that this process takes part in.
    pub fn plan(&self) -> Option<Plan> {
        let plan = self.plan.as_deref()?;
        Some(serde_json::from_str(plan).expect("the bench wrote the plan"))
    }

    fn wants(&self, bar: &str) -> bool {
        self.only.as_deref().is_none_or(|only| bar.contains(only))
    }

    fn load(&self, over: Over, streams: usize, payload: usize) -> Plan {
        Plan {
            over,
            streams,
            payload,
            seconds: self.seconds,
        }
    }
}

/// Measures everything and prints the table.
pub fn run(options: &Options) {
    println!("{}", machine::name());
    let mut lines = Lines::new();
    for (name, over) in [("tcp", Over::Tcp), ("udp", Over::Udp)] {
        if options.wants(name) {
            let plan = options.load(over, options.streams, TWO_MEGABITS);
            let rounds = rounds(&plan, options.rounds);
            lines.large(&plan, &rounds);
        }
    }
    if options.wants("few") {
        let plan = options.load(Over::Tcp, options.few, ONE_MEGABIT);
        let rounds = rounds(&plan, options.rounds);
        lines.few(&plan, &rounds);
    }
    if options.wants("most") {
        lines.most(options);
    }
    println!("{}", lines.table);
}

/// Median, least and most.
#[derive(Clone, Copy)]
struct Spread([f64; 3]);

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        Spread([
            at(values.len() / 2),
            at(0),
            at(values.len().saturating_sub(1)),
        ])
    }

    fn median(&self) -> f64 {
        self.0[0]
    }

    fn show(&self, digits: usize) -> String {
        let [median, least, most] = self.0;
        format!("{median:.digits$} ({least:.digits$} .. {most:.digits$})")
    }
}

struct Lines {
    table: Table,
    /// How many rounds of the load at hand cannot be compared.
    short: usize,
}

/// What a bar asks of a figure.
#[derive(Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
    None,
}

impl Lines {
    fn new() -> Lines {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(["what", "vcam", "bare loop", "paired", "bar", ""]);
        Lines { table, short: 0 }
    }

    fn line(
        &mut self,
        what: &str,
        pump: Spread,
        bare: Option<Spread>,
        paired: Option<Spread>,
        digits: usize,
        bar: Bar,
    ) {
        let judged = paired.unwrap_or(pump).median();
        let (asked, met) = match bar {
            Bar::AtMost(most) => (format!("<= {most}"), judged <= most),
            Bar::AtLeast(least) => (format!(">= {least}"), judged >= least),
            Bar::None => (String::new(), true),
        };
        let show = |spread: Option<Spread>, digits| {
            spread.map_or(String::new(), |spread| spread.show(digits))
        };
        let met = match (self.short, met) {
            (1.., _) => format!("INVALID: {} rounds fell short", self.short),
            (0, true) => String::new(),
            (0, false) => "MISSED".to_owned(),
        };
        self.table.add_row([
            what.to_owned(),
            pump.show(digits),
            show(bare, digits),
            show(paired, 3),
            asked,
            met,
        ]);
    }

    fn ratio(
        &mut self,
        what: &str,
        rounds: &Rounds,
        of: impl Fn(&Plan, &Pair, Who) -> f64,
        plan: &Plan,
        digits: usize,
        bar: Bar,
    ) {
        let pump = |pair: &Pair| of(plan, pair, Who::Pump);
        let bare = |pair: &Pair| of(plan, pair, Who::Bare);
        let pairs = || rounds.pairs.iter();
        self.line(
            what,
            Spread::of(pairs().map(pump)),
            Some(Spread::of(pairs().map(bare))),
            Some(Spread::of(pairs().map(|pair| pump(pair) / bare(pair)))),
            digits,
            bar,
        );
    }

    /// Rounds in which one of both did not carry the load.
    fn look_for_short_rounds(&mut self, plan: &Plan, rounds: &Rounds) {
        let carried =
            |outcome: &Outcome| outcome.frames as f64 >= COMPARABLE * plan.due(outcome.seconds);
        let short = |pair: &&Pair| !(carried(&pair.pump) && carried(&pair.bare));
        self.short = rounds.pairs.iter().filter(short).count();
    }

    fn large(&mut self, plan: &Plan, rounds: &Rounds) {
        self.look_for_short_rounds(plan, rounds);
        let load = format!("{:?}, {} streams of 2 Mbit/s", plan.over, plan.streams);
        let repeated = match rounds.stolen {
            0 => String::new(),
            stolen => format!(" ({stolen} rounds repeated: stolen time)"),
        };
        let cost = |_: &Plan, pair: &Pair, who| outcome(pair, who).cost();
        self.ratio(
            &format!("{load}: CPU-s per Gbit{repeated}"),
            rounds,
            cost,
            plan,
            4,
            Bar::AtMost(1.15),
        );
        let sent = |plan: &Plan, pair: &Pair, who| {
            let outcome = outcome(pair, who);
            100.0 * outcome.frames as f64 / plan.due(outcome.seconds)
        };
        self.ratio(
            &format!("{load}: frames sent, %"),
            rounds,
            sent,
            plan,
            2,
            Bar::None,
        );
        let late = |pair: &Pair, who| outcome(pair, who).late[1] as f64 / 1000.0;
        let pairs = || rounds.pairs.iter();
        self.line(
            &format!("{load}: lateness p99, ms (paired: difference)"),
            Spread::of(pairs().map(|pair| late(pair, Who::Pump))),
            Some(Spread::of(pairs().map(|pair| late(pair, Who::Bare)))),
            Some(Spread::of(
                pairs().map(|pair| late(pair, Who::Pump) - late(pair, Who::Bare)),
            )),
            2,
            Bar::AtMost(1.0),
        );
        let own = |pair: &Pair| outcome(pair, Who::Pump).each(plan) / 1024.0;
        self.line(
            &format!("{load}: KiB resident that a stream costs"),
            Spread::of(pairs().map(own)),
            None,
            None,
            2,
            Bar::AtMost(16.0),
        );
    }

    fn few(&mut self, plan: &Plan, rounds: &Rounds) {
        self.look_for_short_rounds(plan, rounds);
        let load = format!("{:?}, {} streams of 1 Mbit/s", plan.over, plan.streams);
        let share = |plan: &Plan, pair: &Pair, who| outcome(pair, who).share(plan);
        self.ratio(
            &format!("{load}: % of a core per stream"),
            rounds,
            share,
            plan,
            4,
            Bar::AtMost(1.3),
        );
        let own = |pair: &Pair| outcome(pair, Who::Pump).own() / 1e6;
        let own = Spread::of(rounds.pairs.iter().map(own));
        self.line(
            &format!("{load}: MB resident but the clip"),
            own,
            None,
            None,
            1,
            Bar::AtMost(12.0),
        );
    }

    fn most(&mut self, options: &Options) {
        self.short = 0;
        let mut found: Vec<(f64, f64)> = Vec::new();
        for round in 0..options.rounds {
            let mut most = [0.0; 2];
            let mut order = [Who::Pump, Who::Bare];
            if round % 2 == 1 {
                order.reverse();
            }
            for who in order {
                most[who as usize] = sustained(options, who) as f64;
            }
            eprintln!("  sustained: pump {} bare {}", most[0], most[1]);
            found.push((most[0], most[1]));
        }
        self.line(
            "Tcp: streams of 2 Mbit/s that a core sustains",
            Spread::of(found.iter().map(|(pump, _)| *pump)),
            Some(Spread::of(found.iter().map(|(_, bare)| *bare))),
            Some(Spread::of(found.iter().map(|(pump, bare)| pump / bare))),
            0,
            Bar::AtLeast(0.88),
        );
    }
}

fn outcome(pair: &Pair, who: Who) -> &Outcome {
    match who {
        Who::Pump => &pair.pump,
        Who::Bare => &pair.bare,
    }
}

/// The most streams of which [`SUSTAINED`] of all frames leave, to within a fortieth.
fn sustained(options: &Options, who: Who) -> usize {
    let holds = |streams: usize| {
        let plan = options.load(Over::Tcp, streams, TWO_MEGABITS);
        let outcome = once(&plan, who);
        outcome.frames as f64 >= SUSTAINED * plan.due(outcome.seconds)
    };
    let (mut holding, mut failing) = (0, 0);
    let mut streams = options.streams;
    while failing == 0 || failing - holding > (holding / 40).max(1) {
        if holds(streams) {
            holding = streams;
        } else {
            failing = streams;
        }
        streams = match failing {
            0 => holding * 3 / 2,
            _ => (holding + failing) / 2,
        };
    }
    holding
}
