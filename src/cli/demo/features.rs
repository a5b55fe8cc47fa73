//! `vcam demo --all`: features one by one, between one camera and the platform, each with a verdict.

use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use super::{PASSWORD, h265, speech};
use crate::api::{Audio, Camera, Channel, Clip, Error, Platform, Stream};
use crate::camera::{Position, Recordings};
use crate::gb28181::Ptz;
use crate::gb28181::manscdp::{
    Alarm, CatalogEvent, Control, HomePosition, Outcome, Precise, Topic,
};
use crate::gb28181::ptz::{CruiseAct, PresetAct};
use crate::media::MediaTransport;
use crate::net::Clock;
use crate::platform::{Answer, Event, Notice, Order, PlayEnd, Query};
use crate::profile::Profile;

/// How long anything may take that is told by itself.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a subscription lasts.
const LIFETIME: Duration = Duration::from_secs(600);

/// One feature: where it is written, and what was seen of it.
pub(super) struct Row {
    pub name: &'static str,
    pub clause: &'static str,
    pub seen: Result<String, String>,
}

/// Somebody who plays all of it.
struct Show {
    platform: Platform,
    camera: Camera,
    gate: Channel,
    rows: Vec<Row>,
}

/// Plays every feature. An error: the camera could not even register.
pub(super) async fn play() -> Result<Vec<Row>, Error> {
    let platform = Platform::builder().password(PASSWORD).start().await?;
    let camera = Camera::builder(Profile::builtin("generic-2022")?)
        .platform(platform.address())
        .password(PASSWORD)
        .name("大门")
        .channels(3)
        .organisations(["North", "South"])
        .recordings(Recordings::THREE_DAYS)
        .position(116.397, 39.916)
        .audio(Audio::tone())
        .start()
        .await?;
    camera.registered().await?;
    let gate = camera.channel(1);
    let mut show = Show {
        platform,
        camera,
        gate,
        rows: Vec::new(),
    };
    show.questions().await;
    show.commands().await;
    show.pictures().await;
    show.recordings().await;
    show.news().await;
    show.farewell().await
}

pub(super) type Seen = Result<String, String>;

/// What is wrong, in words.
pub(super) fn wrong(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) fn when(right: bool, seen: String) -> Seen {
    if right { Ok(seen) } else { Err(seen) }
}

impl Show {
    fn row(&mut self, name: &'static str, clause: &'static str, seen: Seen) {
        self.rows.push(Row { name, clause, seen });
    }

    async fn questions(&mut self) {
        self.row(
            "Registration with digest",
            "9.1",
            Ok("registered".to_owned()),
        );
        let seen = self.catalogue().await;
        self.row("Catalog: groups, organisations, GBK names", "annex J", seen);
        let one = Query::CatalogOf(self.gate.id.to_string());
        let seen = self.ask(one, |answer| match answer {
            Answer::Catalog(items) => when(items.len() == 1, format!("{} item", items.len())),
            _ => Err("no catalogue".to_owned()),
        });
        let seen = seen.await;
        self.row("Catalog of one channel", "annex J", seen);
        let info = self.platform.device_info(self.camera.id()).await;
        let seen = info.map(|info| format!("{} {}", info.manufacturer, info.firmware));
        self.row("DeviceInfo", "9.5", seen.map_err(wrong));
        let status = self.platform.device_status(self.camera.id()).await;
        let seen = status.map_err(wrong);
        let seen = seen.and_then(|status| when(status.online, "on-line".to_owned()));
        self.row("DeviceStatus", "9.5", seen);
        let basic = self.platform.basic_param(self.camera.id()).await;
        let seen = basic.map(|basic| format!("a Keepalive every {} s", basic.heart_beat_interval));
        self.row("ConfigDownload BasicParam", "9.5", seen.map_err(wrong));
        let cards = self.platform.sd_cards(self.camera.id()).await;
        let seen = cards.map(|cards| format!("{} card", cards.len()));
        self.row("SDCardStatus", "9.5", seen.map_err(wrong));
    }

    async fn catalogue(&self) -> Seen {
        let items = self
            .platform
            .catalog(self.camera.id())
            .await
            .map_err(wrong)?;
        let video = items.iter().filter(|item| item.shows_video()).count();
        let named = items.iter().any(|item| item.name.starts_with("大门"));
        when(
            video == 3 && named,
            format!("{video} channels among {} items", items.len()),
        )
    }

    async fn ask(&self, what: Query, read: impl FnOnce(Answer) -> Seen) -> Seen {
        let answer = self.platform.query(self.camera.id(), what).await;
        read(answer.map_err(wrong)?)
    }

    async fn order(&self, control: Control) -> Result<Option<Outcome>, String> {
        let about = Some(self.gate.id);
        let ordered = self
            .platform
            .order(self.camera.id(), about, Order::Control(control));
        ordered.await.map_err(wrong)
    }

    async fn commands(&mut self) {
        let seen = self.steers().await;
        self.row("PTZPreciseCtrl, PTZPosition", "A.2.3", seen);
        let seen = self.presets().await;
        self.row("PTZCmd presets, PresetQuery", "A.3.4", seen);
        let seen = self.cruises().await;
        self.row("PTZCmd cruise, CruiseTrackQuery", "A.3.5", seen);
        let home = HomePosition {
            enabled: true,
            reset_time: 60,
            preset: 1,
        };
        let done = self.order(Control::Home(home)).await;
        let seen = done.and_then(|done| when(done == Some(Outcome::Ok), format!("{done:?}")));
        self.row(
            "HomePosition",
            "A.2.3",
            seen.map(|_| "after 60 s".to_owned()),
        );
        let done = self.order(Control::Record(true)).await;
        let seen = done.and_then(|done| when(done == Some(Outcome::Ok), format!("{done:?}")));
        self.row("RecordCmd", "9.3", seen.map(|_| "it records".to_owned()));
        let done = self.order(Control::KeyFrame).await;
        self.row("IFrameCmd", "9.3", done.map(|_| "taken".to_owned()));
    }

    async fn steers(&self) -> Seen {
        let to = Precise {
            pan: Some(90.0),
            tilt: Some(10.0),
            zoom: Some(4.0),
        };
        self.order(Control::Precise(to)).await?;
        let at = self.platform.looks_at(&self.gate).await.map_err(wrong)?;
        let there = (at.pan, at.tilt, at.zoom) == (90.0, 10.0, 4.0);
        when(
            there,
            format!("pan {}, tilt {}, zoom {}", at.pan, at.tilt, at.zoom),
        )
    }

    async fn presets(&self) -> Seen {
        for number in [1, 2] {
            let set = Ptz::Preset(PresetAct::Set, number);
            self.platform.ptz(&self.gate, set).await.map_err(wrong)?;
        }
        let presets = self.platform.presets(&self.gate).await.map_err(wrong)?;
        when(presets.len() == 2, format!("{} presets", presets.len()))
    }

    async fn cruises(&self) -> Seen {
        for act in [CruiseAct::Add(1), CruiseAct::Add(2), CruiseAct::Start] {
            let cruise = Ptz::Cruise { track: 1, act };
            self.platform.ptz(&self.gate, cruise).await.map_err(wrong)?;
        }
        let track = Query::CruiseTrack {
            channel: self.gate.id,
            number: 1,
        };
        self.ask(track, |answer| match answer {
            Answer::CruiseTrack(track) => when(
                track.points.len() == 2,
                format!("{} points", track.points.len()),
            ),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    async fn pictures(&mut self) {
        for (name, transport) in [
            ("Live over UDP", MediaTransport::Udp),
            (
                "Live over TCP, the camera connects",
                MediaTransport::TcpActive,
            ),
            (
                "Live over TCP, the camera listens",
                MediaTransport::TcpPassive,
            ),
        ] {
            let seen = self.live(transport).await;
            self.row(name, "9.2, annex D", seen);
        }
        let seen = self.sound().await;
        self.row("Sound beside the pictures: G.711", "annex C", seen);
        let seen = h265::live(&self.platform).await;
        self.row("Live H.265", "annex C", seen);
        let seen = speech::speak(&self.platform, &self.camera, &self.gate).await;
        self.row("Broadcast: the platform speaks", "9.12", seen);
    }

    /// A second of sound, equal to the source's and in step with the pictures.
    async fn sound(&self) -> Seen {
        let mut stream = self.platform.play(self.gate.clone()).await.map_err(wrong)?;
        let verdict = stream.verified_seconds(1.0).await.map_err(wrong)?;
        stream.stop().await.map_err(wrong)?;
        let sounds = verdict.sounds;
        let all = verdict.is_clean() && sounds.matched >= 24 && sounds.missing == 0;
        when(
            all,
            format!("{} access units equal, in step", sounds.matched),
        )
    }

    async fn live(&self, transport: MediaTransport) -> Seen {
        let stream = self.platform.play(self.gate.clone()).over(transport).await;
        let mut stream = stream.map_err(wrong)?;
        let verdict = stream.verified_seconds(1.0).await.map_err(wrong)?;
        stream.stop().await.map_err(wrong)?;
        when(
            verdict.is_clean(),
            format!("{} frames equal", verdict.matched),
        )
    }

    async fn recordings(&mut self) {
        let (from, to) = self.hours();
        let files = self.platform.records(&self.gate, from, to).await;
        let seen = files.map_err(wrong);
        let seen = seen.and_then(|files| when(files.len() > 3, format!("{} files", files.len())));
        self.row("RecordInfo", "9.7", seen);
        let seen = self.played(None).await;
        self.row("Playback, MediaStatus 121", "9.8", seen);
        let seen = self.paused().await;
        self.row("Playback: pause and resume", "annex B", seen);
        let seen = self.sought().await;
        self.row("Playback: seek", "annex B", seen);
        let seen = self.hurried(4.0).await;
        self.row("Playback: four times the speed", "annex B", seen);
        let seen = self.hurried(-1.0).await;
        self.row("Playback: backwards", "annex B", seen);
        let seen = self.played(Some(8)).await;
        self.row("Download, eight times as fast", "9.9", seen);
        let seen = self.nothing_recorded().await;
        self.row("Playback of nothing", "9.8", seen);
    }

    /// Two hours that are over.
    fn hours(&self) -> (SystemTime, SystemTime) {
        let now = wall();
        (
            now - Duration::from_secs(4 * 3600),
            now - Duration::from_secs(2 * 3600),
        )
    }

    /// A recording of so many seconds to its end.
    async fn played(&self, speed: Option<u8>) -> Seen {
        let (from, _) = self.hours();
        let play = self.platform.play(self.gate.clone());
        let stream = match speed {
            None => play.playback(from, from + Duration::from_secs(2)),
            Some(speed) => play.download(from, from + Duration::from_secs(16), speed),
        };
        let mut stream = stream.await.map_err(wrong)?;
        let ended = timeout(PATIENCE, stream.ended()).await.map_err(wrong)?;
        let ended = ended.map_err(wrong)?;
        let right = ended.why == PlayEnd::MediaStatus && ended.verdict.is_clean();
        let seen = format!("{} frames equal", ended.verdict.matched);
        when(right, seen).map_err(|seen| format!("{seen}; {}", ended.why))
    }

    async fn playback(&self) -> Result<Stream, String> {
        let (from, to) = self.hours();
        let play = self.platform.play(self.gate.clone()).playback(from, to);
        let mut stream = play.await.map_err(wrong)?;
        stream.streaming().await.map_err(wrong)?;
        Ok(stream)
    }

    async fn paused(&self) -> Seen {
        let stream = self.playback().await?;
        let held = stream.pause().await.map_err(wrong)?;
        let on = stream.resume().await.map_err(wrong)?;
        let ended = stream.stop().await.map_err(wrong)?;
        let right = held.is_ok() && on.is_ok() && ended.verdict.is_clean();
        when(right, "held, and on".to_owned())
    }

    async fn sought(&self) -> Seen {
        let stream = self.playback().await?;
        let there = stream
            .seek(Duration::from_secs(3600))
            .await
            .map_err(wrong)?;
        let beyond = stream
            .seek(Duration::from_secs(86_400))
            .await
            .map_err(wrong)?;
        stream.stop().await.map_err(wrong)?;
        let status = beyond.answer.as_ref().map_or(0, |answer| answer.status);
        when(
            there.is_ok() && status == 457,
            "an hour on; beyond the end: 457".to_owned(),
        )
    }

    async fn hurried(&self, scale: f64) -> Seen {
        let stream = self.playback().await?;
        let done = stream.speed(scale).await.map_err(wrong)?;
        stream.stop().await.map_err(wrong)?;
        let granted = done.answer.and_then(|answer| answer.scale);
        when(granted == Some(scale), format!("granted {granted:?}"))
            .map(|_| format!("Scale {scale:?}"))
    }

    async fn nothing_recorded(&self) -> Seen {
        let later = wall() + Duration::from_secs(86_400);
        let play = self.platform.play(self.gate.clone());
        match play.playback(later, later + Duration::from_secs(60)).await {
            Ok(_) => Err("it was accepted".to_owned()),
            Err(error) => {
                let text = error.to_string();
                when(text.contains("404"), text).map(|_| "404".to_owned())
            }
        }
    }

    async fn news(&mut self) {
        let seen = self.alarm(false).await;
        self.row("Alarm without a subscription", "9.4", seen);
        let seen = self.alarm(true).await;
        self.row("Alarm subscription", "9.11", seen);
        let seen = self.catalogue_changes().await;
        self.row("Catalog subscription", "9.11", seen);
        let seen = self.plugged().await;
        self.row("Channel added and removed", "9.11", seen);
        let seen = self.offered().await;
        self.row("VideoUploadNotify", "A.2.5", seen);
        let seen = self.positions().await;
        self.row("MobilePosition subscription", "9.11", seen);
    }

    async fn subscribe(&self, topic: Topic) -> Result<(), String> {
        let device = self.camera.id();
        let granted = self.platform.subscribe(device, device, topic, LIFETIME);
        granted.await.map(drop).map_err(wrong)
    }

    async fn alarm(&self, subscribed: bool) -> Seen {
        if subscribed {
            self.subscribe(Topic::Alarm).await?;
        }
        let mut events = self.platform.events();
        let alarm = Alarm::motion(self.gate.id, Clock::start().now().wall);
        self.camera.alarm(alarm).await.map_err(wrong)?;
        let told = next(&mut events, |notice| match notice {
            Notice::Alarm(alarm) => Some(format!("motion, method {}", alarm.method)),
            _ => None,
        });
        told.await
    }

    async fn catalogue_changes(&self) -> Seen {
        self.subscribe(Topic::Catalog).await?;
        let mut events = self.platform.events();
        let channel = self.camera.channel(3);
        self.camera
            .set_online(&channel, false)
            .await
            .map_err(wrong)?;
        let off = next(&mut events, |notice| change(notice, CatalogEvent::Off)).await?;
        Ok(format!("{off} OFF"))
    }

    async fn plugged(&self) -> Seen {
        let mut events = self.platform.events();
        let id = self.gate.id.with_serial(99);
        let clip = Clip::sample();
        let added = self.camera.add_channel(id, "侧门", clip).await;
        let added = added.map_err(wrong)?;
        let new = next(&mut events, |notice| change(notice, CatalogEvent::Add)).await?;
        self.camera.remove_channel(&added).await.map_err(wrong)?;
        let gone = next(&mut events, |notice| change(notice, CatalogEvent::Delete)).await?;
        when(new == gone, format!("{new} ADD, DEL"))
    }

    async fn offered(&self) -> Seen {
        let mut events = self.platform.events();
        self.camera.offer_video(&self.gate).await.map_err(wrong)?;
        let told = next(&mut events, |notice| match notice {
            Notice::VideoOffered(upload) => Some(upload.id.clone()),
            _ => None,
        });
        told.await
    }

    async fn positions(&self) -> Seen {
        let mut events = self.platform.events();
        let moved = Position::at(116.5, 39.9);
        self.camera.move_to(moved).await.map_err(wrong)?;
        self.subscribe(Topic::MobilePosition).await?;
        let told = next(&mut events, |notice| match notice {
            Notice::Position(at) => Some(format!("{}, {}", at.longitude, at.latitude)),
            _ => None,
        });
        told.await
    }

    async fn farewell(mut self) -> Result<Vec<Row>, Error> {
        let gone = self.camera.power_off().await;
        let seen = gone.map(|()| "confirmed".to_owned()).map_err(wrong);
        self.row("Unregistration", "9.1", seen);
        let complaints = self.platform.complaints();
        let seen = match complaints.first() {
            None => Ok("none".to_owned()),
            Some(first) => Err(format!("{}, first {first:?}", complaints.len())),
        };
        self.row("Deviations that the platform noticed", "all", seen);
        self.platform.shut_down().await?;
        Ok(self.rows)
    }
}

/// Whom a change of the catalogue is about, if it is such a change.
fn change(notice: &Notice, event: CatalogEvent) -> Option<String> {
    let Notice::Catalog(changes) = notice else {
        return None;
    };
    let change = changes.iter().find(|change| change.event == event)?;
    Some(change.item.id.clone())
}

/// The time of day; a `SystemTime` without asking the system here.
fn wall() -> SystemTime {
    let micros = Clock::start().now().wall.as_micros();
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The next notice that says something.
async fn next(
    events: &mut crate::api::Events<Event>,
    read: impl Fn(&Notice) -> Option<String>,
) -> Seen {
    let waited = timeout(PATIENCE, async {
        while let Some(event) = events.next().await {
            if let Event::Notice { notice, .. } = &event
                && let Some(seen) = read(notice)
            {
                return Ok(seen);
            }
        }
        Err("the platform is gone".to_owned())
    });
    waited
        .await
        .unwrap_or_else(|_| Err("nothing was told".to_owned()))
}
