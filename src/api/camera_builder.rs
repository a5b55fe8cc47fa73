//! A camera described step by step.

use std::cell::LazyCell;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::address::check_free;
use super::audio::Audio;
use super::camera::Camera;
use super::clip::Clip;
use super::error::Error;
use super::voice_file::VoiceFile;
use crate::camera::{
    Accept, Channel, Config, Heartbeat, PlatformAddress, Position, Recordings, Tree,
};
use crate::gb28181::DeviceId;
use crate::media::{Cut, FirstKeyFrame};
use crate::net::Media;
use crate::net::address::facing;
use crate::profile::Profile;
use crate::sip::{Credentials, Transport};

/// The most channels of one device: what fits into the serial number of a code.
pub(super) const MOST_CHANNELS: usize = 10_000;

/// What a camera shall be. Only [`platform`](CameraBuilder::platform) must be called; everything
/// else has a default that works against [`Platform::start`](super::Platform::start).
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct CameraBuilder {
    profile: Arc<Profile>,
    platform: Option<PlatformAddress>,
    id: Option<String>,
    channel_id: Option<String>,
    name: String,
    user: Option<String>,
    password: String,
    domain: Option<String>,
    channels: usize,
    sub_channels: usize,
    organisations: Vec<String>,
    recordings: Option<Arc<Recordings>>,
    position: Option<Position>,
    clip: Option<Clip>,
    clips: Vec<(usize, Clip)>,
    sub: Option<Clip>,
    audio: Option<Audio>,
    transport: Transport,
    local: Option<SocketAddr>,
    media_ip: Option<IpAddr>,
    expires: Duration,
    heartbeat: Heartbeat,
    retry: Duration,
    reconnect: Duration,
    accept: Accept,
    first_frame: FirstKeyFrame,
    backlog: Duration,
    voice: Option<PathBuf>,
    microphone: Option<Audio>,
    echo: bool,
    seed: Option<u64>,
    pumps: Option<Media>,
}

impl CameraBuilder {
    pub(super) fn new(profile: Arc<Profile>) -> Self {
        CameraBuilder {
            profile,
            platform: None,
            id: None,
            channel_id: None,
            name: String::new(),
            user: None,
            password: String::new(),
            domain: None,
            channels: 1,
            sub_channels: 0,
            organisations: Vec::new(),
            recordings: None,
            position: None,
            clip: None,
            clips: Vec::new(),
            sub: None,
            audio: None,
            transport: Transport::Udp,
            local: None,
            media_ip: None,
            expires: Duration::from_secs(3600),
            heartbeat: Heartbeat::default(),
            retry: Duration::from_secs(60),
            reconnect: Duration::from_secs(5),
            accept: Accept::Platform,
            first_frame: FirstKeyFrame::Immediate,
            backlog: Duration::from_secs(2),
            voice: None,
            microphone: None,
            echo: false,
            seed: None,
            pumps: None,
        }
    }

    /// Whom it registers with: [`Platform::address`](super::Platform::address), or
    /// [`resolve`](super::resolve) of an address typed in.
    pub fn platform(mut self, platform: PlatformAddress) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Its 20-digit code, a [`DeviceId`] or text. Default: type 132 and serial number 1 of the
    /// platform's centre; cameras of one platform need one each.
    pub fn id(mut self, id: impl ToString) -> Self {
        self.id = Some(id.to_string());
        self
    }

    /// The code of its first channel. Default: its own with type 131. Further channels count on
    /// from it.
    pub fn channel_id(mut self, id: impl ToString) -> Self {
        self.channel_id = Some(id.to_string());
        self
    }

    /// What it calls itself. Default: the profile's model.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The password it registers with. Default: empty.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = password.into();
        self
    }

    /// The digest user. Default: its code.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The SIP domain. Default: the platform's.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// How many video channels it has. Default: 1.
    pub fn channels(mut self, count: usize) -> Self {
        self.channels = count;
        self
    }

    /// How many sub-channels each of those channels has, as a camera with several lenses: channels
    /// of their own, which the catalogue shows below theirs. Their codes count on from the last
    /// channel's. Default: none.
    pub fn sub_channels(mut self, count: usize) -> Self {
        self.sub_channels = count;
        self
    }

    /// The names of the organisations (codes of type 216, below a business group of type 215) in
    /// which its channels hang, in their order and as evenly as they can. Default: none.
    pub fn organisations<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.organisations = names.into_iter().map(Into::into).collect();
        self
    }

    /// Where it is, in degrees (WGS 84): told to whoever subscribes to its position.
    /// Default: it does not know.
    pub fn position(mut self, longitude: f64, latitude: f64) -> Self {
        self.position = Some(Position::at(longitude, latitude));
        self
    }

    /// What its channels have recorded. Default: nothing.
    pub fn recordings(mut self, recordings: Recordings) -> Self {
        self.recordings = Some(Arc::new(recordings));
        self
    }

    /// What every channel shows. Default: [`Clip::sample`].
    pub fn media(mut self, clip: Clip) -> Self {
        self.clip = Some(clip);
        self
    }

    /// What channel `n` (from 1) shows instead.
    pub fn channel_media(mut self, n: usize, clip: Clip) -> Self {
        self.clips.push((n, clip));
        self
    }

    /// What the sub streams of every channel show. Default: the same as their main streams.
    pub fn sub_media(mut self, clip: Clip) -> Self {
        self.sub = Some(clip);
        self
    }

    /// What is heard beside the pictures of every channel, in main and sub streams, in place of
    /// what their files have; see [`Clip::with_audio`]. Default: the sound of the files.
    pub fn audio(mut self, audio: Audio) -> Self {
        self.audio = Some(audio);
        self
    }

    /// How its signalling travels; the platform's INVITE decides how media does. Default: UDP.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// The address it signals from. Default: the one that faces the platform, and any port.
    pub fn local(mut self, local: SocketAddr) -> Self {
        self.local = Some(local);
        self
    }

    /// The address it sends media from. Default: that of its signalling.
    pub fn media_ip(mut self, ip: IpAddr) -> Self {
        self.media_ip = Some(ip);
        self
    }

    /// The registration lifetime it asks for. Default: 3600 s, as makes do.
    pub fn expires(mut self, expires: Duration) -> Self {
        self.expires = expires;
        self
    }

    /// From one Keepalive to the next, and how many in a row may be lost. Default: 60 s, 3.
    pub fn keepalive(mut self, interval: Duration, count: u32) -> Self {
        self.heartbeat = Heartbeat { interval, count };
        self
    }

    /// The shortest pause after a failed registration; up to half of it is added. Default: 60 s
    /// (GB/T 28181-2022 §9.1.1).
    pub fn retry(mut self, pause: Duration) -> Self {
        self.retry = pause;
        self
    }

    /// The shortest pause before a broken signalling connection is made again. Default: 5 s.
    pub fn reconnect(mut self, pause: Duration) -> Self {
        self.reconnect = pause;
        self
    }

    /// Whose requests it obeys. Default: the platform's address only.
    pub fn accept(mut self, accept: Accept) -> Self {
        self.accept = accept;
        self
    }

    /// Where in the clip a new stream begins. Default: at once with the first key frame.
    pub fn first_frame(mut self, first: FirstKeyFrame) -> Self {
        self.first_frame = first;
        self
    }

    /// How much unsent media may wait for a slow peer before groups of pictures are dropped.
    /// Default: 2 s.
    pub fn backlog(mut self, backlog: Duration) -> Self {
        self.backlog = backlog;
        self
    }

    /// The WAV file (G.711 A-law) that what it hears of the platform goes into, one voice after the
    /// other. A voice is in it once [`Event::VoiceEnded`](crate::camera::Event::VoiceEnded) is
    /// told. What was in the file is gone. Default: what it hears is only counted.
    pub fn voice(mut self, file: impl Into<PathBuf>) -> Self {
        self.voice = Some(file.into());
        self
    }

    /// What its microphone hears, again and again, for platforms that talk with it (Talk); it must
    /// be G.711 A-law. Default: a tone that comes and goes.
    pub fn microphone(mut self, audio: Audio) -> Self {
        self.microphone = Some(audio);
        self
    }

    /// In a talk it says back what it hears, in place of its microphone, a moment later.
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// Where its chance comes from: tags, branches, first sequence numbers, jitter.
    /// Default: another each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The pumps that send its media. Default: one of its own, on the runtime it is started on.
    pub fn pumps(mut self, pumps: Media) -> Self {
        self.pumps = Some(pumps);
        self
    }

    /// Switches it on. It registers from now on; [`Camera::registered`] waits for that.
    pub async fn start(self) -> Result<Camera, Error> {
        // Held from here on, or it would be made twice.
        let sub = self.sub_clip();
        let (config, clips) = self.describe()?;
        if self.local.is_some() {
            check_free(config.transport, config.local)?;
        }
        let seed = self.seed.unwrap_or_else(rand::random);
        let voice = self.voice.as_deref().map(VoiceFile::create).transpose()?;
        let voice = voice.map(Box::new);
        let camera = Camera::spawn(config, clips, sub, seed, self.pumps, voice);
        camera.switch_on().await?;
        Ok(camera)
    }

    fn describe(&self) -> Result<(Config, Vec<Clip>), Error> {
        let mut platform = self.platform.clone().ok_or_else(|| Error::Setting {
            what: "platform",
            why: "a camera needs one; CameraBuilder::platform names it".to_owned(),
        })?;
        if let Some(domain) = &self.domain {
            platform.domain.clone_from(domain);
        }
        let device = match &self.id {
            Some(text) => code("the camera's ID", text)?,
            None => platform.id.with_type(DeviceId::IPC).with_serial(1),
        };
        let clips = self.clips()?;
        let facing = || SocketAddr::new(facing(platform.address), 0);
        let config = Config {
            device,
            name: self.name.clone(),
            channels: self.numbered(&device, &clips)?,
            position: self.position,
            recordings: self.recordings.clone(),
            tree: Tree::of(device, self.shown_name(), &self.organisations),
            profile: self.profile.clone(),
            credentials: Credentials {
                username: self.user.clone().unwrap_or_else(|| device.to_string()),
                password: self.password.clone(),
            },
            transport: self.transport,
            local: self.local.unwrap_or_else(facing),
            platform,
            media_ip: self.media_ip,
            expires: self.expires,
            heartbeat: self.heartbeat,
            retry: self.retry,
            reconnect: self.reconnect,
            first_sn: 1,
            accept: self.accept.clone(),
            first_frame: self.first_frame,
            backlog: self.backlog,
            microphone: self.microphone.as_ref().map(heard_in).transpose()?,
            echoes: self.echo,
            keeps_voice: self.voice.is_some(),
        };
        Ok((config, clips))
    }

    /// What each channel shows.
    fn clips(&self) -> Result<Vec<Clip>, Error> {
        let channels = self.all_channels();
        if self.channels == 0 || channels > MOST_CHANNELS {
            return Err(Error::Setting {
                what: "channels",
                why: format!("{channels} are not from 1 to {MOST_CHANNELS}"),
            });
        }
        if let Some((n, _)) = self.clips.iter().find(|(n, _)| !(1..=channels).contains(n)) {
            return Err(Error::Setting {
                what: "channel_media",
                why: format!("there is no channel {n} among {channels}"),
            });
        }
        let common = LazyCell::new(|| self.clip.clone().unwrap_or_else(Clip::sample));
        let own = |n: usize| self.clips.iter().rev().find(|(of, _)| *of == n);
        let shown = |n| self.heard(own(n).map_or_else(|| &*common, |(_, clip)| clip));
        Ok((1..=channels).map(shown).collect())
    }

    /// What the sub streams show.
    fn sub_clip(&self) -> Option<Clip> {
        self.sub.as_ref().map(|clip| self.heard(clip))
    }

    /// The clip with the camera's sound, if it has one of its own.
    fn heard(&self, clip: &Clip) -> Clip {
        match &self.audio {
            Some(audio) => clip.with_audio(audio),
            None => clip.clone(),
        }
    }

    fn all_channels(&self) -> usize {
        let each = self.sub_channels.saturating_add(1);
        self.channels.saturating_mul(each)
    }

    fn shown_name(&self) -> &str {
        match self.name.is_empty() {
            true => &self.profile.device.model,
            false => &self.name,
        }
    }

    fn numbered(&self, device: &DeviceId, clips: &[Clip]) -> Result<Vec<Channel>, Error> {
        let first = match &self.channel_id {
            Some(text) => code("the channel's ID", text)?,
            None => device.with_type(DeviceId::CHANNEL),
        };
        let name = self.shown_name();
        // Channels first, then the parts of the first one, of the second one …
        let part_of = |n: u32| {
            let nth = usize::try_from(n).ok()?.checked_sub(self.channels)?;
            let parent = u32::try_from(nth.checked_div(self.sub_channels)?).ok()?;
            Some(first.with_serial(first.serial() + parent))
        };
        let sub = self.sub_clip();
        let channel = |(clip, n): (&Clip, u32)| Channel {
            id: first.with_serial(first.serial() + n),
            name: match clips.len() {
                1 => name.to_owned(),
                _ => format!("{name} {}", n + 1),
            },
            source: clip.cut(&self.profile),
            sub: sub.as_ref().map(|clip| clip.cut(&self.profile)),
            part_of: part_of(n),
            added: None,
        };
        Ok(clips.iter().zip(0..).map(channel).collect())
    }
}

/// What a microphone hears where there is this sound.
fn heard_in(audio: &Audio) -> Result<Arc<Cut>, Error> {
    let cut = Cut::microphone(audio).map_err(|source| Error::Audio {
        file: audio.name().to_owned(),
        source,
    })?;
    Ok(Arc::new(cut))
}

/// The code that a text is, which names `what`.
pub(super) fn code(what: &'static str, text: &str) -> Result<DeviceId, Error> {
    text.parse().map_err(|source| Error::Id { what, source })
}
