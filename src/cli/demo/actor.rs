//! One camera of the demo, from switching on to switching off.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::stop::Stop;
use super::super::words;
use super::PASSWORD;
use crate::api::{Camera, Error, Platform, Stream};
use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::DeviceInfo;
use crate::media::{MediaTransport, Verdict};
use crate::profile::Profile;
use crate::sip::Transport;

/// What became of an actor that was told to stop before it had streamed.
pub(super) const STOPPED: &str = "stopped before it had streamed";

/// One camera, and what became of it so far. After the first failure, or when the end is asked
/// for, it does nothing more but go.
pub(super) struct Actor {
    platform: Arc<Platform>,
    profile: Arc<Profile>,
    id: DeviceId,
    path: (Transport, MediaTransport),
    stop: Stop,
    camera: Option<Camera>,
    info: Option<DeviceInfo>,
    channels: u64,
    stream: Option<Stream>,
    first_packet: Option<Duration>,
    news: watch::Sender<Verdict>,
    verdict: Option<Verdict>,
    failure: Option<String>,
}

/// How a stream goes, for those who only watch.
pub(super) struct News(watch::Receiver<Verdict>);

impl News {
    /// The judgement so far.
    pub fn verdict(&self) -> Verdict {
        self.0.borrow().clone()
    }
}

impl Actor {
    /// A camera of the make `profile` with its serial number, and how it signals and streams.
    pub fn new(
        platform: Arc<Platform>,
        profile: Arc<Profile>,
        serial: u32,
        path: (Transport, MediaTransport),
        stop: Stop,
    ) -> Self {
        let id = platform.address().id.with_type(DeviceId::IPC);
        Actor {
            id: id.with_serial(serial),
            platform,
            profile,
            path,
            stop,
            camera: None,
            info: None,
            channels: 0,
            stream: None,
            first_packet: None,
            news: watch::Sender::default(),
            verdict: None,
            failure: None,
        }
    }

    /// It is switched on and registers.
    pub async fn register(mut self) -> Self {
        let mut stop = self.stop.clone();
        tokio::select! {
            done = self.try_register() => self.noting(done),
            () = stop.asked() => self.stopped(),
        }
    }

    async fn try_register(&mut self) -> Result<(), Error> {
        let camera = Camera::builder(self.profile.clone())
            .platform(self.platform.address())
            .id(self.id)
            .password(PASSWORD)
            .transport(self.path.0)
            .start()
            .await?;
        self.camera.insert(camera).registered().await
    }

    /// It is asked for its catalogue and what it is.
    pub async fn answer(mut self) -> Self {
        if self.failure.is_some() {
            return self;
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            done = self.try_answer() => self.noting(done),
            () = stop.asked() => self.stopped(),
        }
    }

    async fn try_answer(&mut self) -> Result<(), Error> {
        let items = self.platform.catalog(self.id).await?;
        self.channels = items.iter().filter(|item| item.shows_video()).count() as u64;
        self.info = Some(self.platform.device_info(self.id).await?);
        Ok(())
    }

    /// It is called.
    pub async fn take_call(mut self, patience: Duration) -> Self {
        if self.failure.is_some() {
            return self;
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            done = self.try_take_call(patience) => self.noting(done),
            () = stop.asked() => self.stopped(),
        }
    }

    async fn try_take_call(&mut self, patience: Duration) -> Result<(), Error> {
        let Some(camera) = &self.camera else {
            return Err(Error::Gone("the camera"));
        };
        let call = self.platform.play(camera.channel(1)).over(self.path.1);
        let mut stream = call.await?;
        let first = tokio::time::timeout(patience.max(Duration::from_secs(10)), stream.streaming());
        self.first_packet = match first.await {
            Ok(took) => Some(took?),
            Err(_) => None,
        };
        self.stream = Some(stream);
        Ok(())
    }

    /// It streams for `time`, or until the end is asked for; then it is judged, and BYE.
    pub async fn stream(mut self, time: Duration) -> Self {
        let Some(stream) = self.stream.take() else {
            return self;
        };
        match self.judged(stream, time).await {
            Ok(verdict) => {
                if !verdict.is_clean() {
                    self.failure = Some(verdict.to_string());
                }
                self.verdict = Some(verdict);
            }
            Err(error) => self.failure = Some(error.to_string()),
        }
        self
    }

    async fn judged(&self, mut stream: Stream, time: Duration) -> Result<Verdict, Error> {
        let mut stop = self.stop.clone();
        let enough = tokio::time::sleep(time);
        tokio::pin!(enough);
        loop {
            tokio::select! {
                verdict = stream.progress() => match verdict {
                    Some(verdict) => {
                        self.news.send_replace(verdict);
                    }
                    None => break,
                },
                () = &mut enough => break,
                () = stop.asked() => break,
            }
        }
        let end = stream.stop().await?;
        self.news.send_replace(end.verdict.clone());
        Ok(end.verdict)
    }

    /// It unregisters and is switched off.
    pub async fn say_goodbye(mut self) -> Self {
        let off = match self.camera.take() {
            Some(camera) => camera.power_off().await,
            None => Ok(()),
        };
        self.noting(off)
    }

    fn stopped(mut self) -> Self {
        self.failure.get_or_insert(STOPPED.to_owned());
        self
    }

    fn noting(mut self, done: Result<(), Error>) -> Self {
        if let Err(error) = done {
            self.failure.get_or_insert(error.to_string());
        }
        self
    }

    /// The make's name.
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// Its 20-digit code.
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// What it says it is.
    pub fn device(&self) -> String {
        let told = self.info.as_ref();
        told.map_or_else(String::new, |info| {
            format!("{} {}", info.manufacturer, info.model)
        })
    }

    /// How its signalling travels.
    pub fn signalling(&self) -> Transport {
        self.path.0
    }

    /// How its media travels.
    pub fn media(&self) -> MediaTransport {
        self.path.1
    }

    /// From INVITE to the first packet.
    pub fn first_packet(&self) -> Option<Duration> {
        self.first_packet
    }

    /// The final judgement.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.clone()
    }

    /// What went wrong first.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether a call is up.
    pub fn is_streaming(&self) -> bool {
        self.stream.is_some()
    }

    /// How its stream goes, if it has one.
    pub fn news(&self) -> Option<News> {
        self.is_streaming().then(|| News(self.news.subscribe()))
    }

    /// What the platform learned by asking.
    pub fn said_about_itself(&self) -> Option<String> {
        let channels = words::count(self.channels, "channel");
        Some(format!(
            "registered over {}, {}, {channels}",
            self.path.0,
            self.device()
        ))
    }

    /// How it took the call.
    pub fn said_about_call(&self) -> Option<String> {
        let answered = words::time(self.stream.as_ref()?.agreed()?.took);
        let packet = words::time(self.first_packet?);
        let media = words::media(self.path.1);
        Some(format!(
            "{media}: 200 after {answered}, first packet after {packet}"
        ))
    }
}
