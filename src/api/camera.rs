//! One camera or recorder on real sockets.

mod channels;
mod glances;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::camera_builder::CameraBuilder;
use super::channel::Channel;
use super::clip::Clip;
use super::error::Error;
use super::events::{Events, Source};
use super::observed::{Observed, Wish};
use super::standing::Standing;
use super::task::Task;
use super::voice_file::VoiceFile;
use crate::camera::{self, Command, Config, Event, Position};
use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{Alarm, CatalogEvent};
use crate::net::Media;
use crate::profile::Profile;

/// How long [`Camera::registered`] waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// A camera or recorder that is switched on: it registers, keeps itself alive, answers queries
/// and streams to whoever calls it.
///
/// Dropped, it is gone at once, as in a power cut: no BYE, no unregistration.
/// [`power_off`](Camera::power_off) says goodbye.
pub struct Camera {
    config: Arc<Config>,
    /// Those that it has now, with what they show.
    channels: Mutex<Vec<(camera::Channel, Clip)>>,
    /// What all its sub streams show.
    sub: Option<Clip>,
    standing: watch::Sender<Standing>,
    events: Source<Event>,
    task: Task<Wish<camera::Camera>>,
}

impl Camera {
    /// A camera of the make `profile`, to be described further.
    pub fn builder(profile: impl Into<Arc<Profile>>) -> CameraBuilder {
        CameraBuilder::new(profile.into())
    }

    /// Switches a camera on. `clips` are what its channels show, `sub` what their sub streams do,
    /// `voice` where goes what it hears.
    pub(super) fn spawn(
        config: Config,
        clips: Vec<Clip>,
        sub: Option<Clip>,
        seed: u64,
        media: Option<Media>,
        mut voice: Option<Box<VoiceFile>>,
    ) -> Self {
        let config = Arc::new(config);
        let (events, tell) = Source::new();
        let standing = watch::Sender::new(Standing::default());
        let noted = standing.clone();
        let node = Observed(camera::Camera::new(config.clone(), seed));
        let task = Task::spawn("the camera", node, media, move |event| {
            if let (Event::VoiceSaid { samples }, Some(file)) = (&event, &mut voice) {
                return file.say(samples);
            }
            noted.send_if_modified(|standing| standing.note(&event));
            tell.tell(event);
        });
        let channels = config.channels.iter().cloned().zip(clips);
        let channels = Mutex::new(channels.collect());
        Camera {
            config,
            channels,
            sub,
            standing,
            events,
            task,
        }
    }

    /// Its own 20-digit code.
    pub fn id(&self) -> DeviceId {
        self.config.device
    }

    /// Everything it was told about itself when it was started; [`channels`](Self::channels) are
    /// those that it has now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Waits until the platform has accepted its registration, 10 s at most. When that failed and
    /// is not tried again by then, the error comes at once and says what the platform said.
    pub async fn registered(&self) -> Result<(), Error> {
        self.registered_within(PATIENCE).await
    }

    /// As [`registered`](Self::registered), with a patience of one's own.
    pub async fn registered_within(&self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        let settled = self.wait(|standing| {
            standing.registered || standing.off || standing.is_hopeless_until(deadline)
        });
        if let Ok(gone @ Err(_)) = timeout_at(deadline, settled).await {
            return gone;
        }
        let standing = self.standing.borrow();
        if standing.registered {
            return Ok(());
        }
        Err(Error::NotRegistered {
            device: self.id(),
            platform: self.config.platform.address,
            transport: self.config.transport,
            why: standing.why_not(),
        })
    }

    /// Whether the platform has accepted its registration.
    pub fn is_registered(&self) -> bool {
        self.standing.borrow().registered
    }

    /// What it tells: the first listener hears everything since it was switched on, later ones
    /// what happens from now on.
    pub fn events(&self) -> Events<Event> {
        self.events.listen()
    }

    /// A channel loses or gets back its picture: its catalogue status changes, its calls end with
    /// BYE, and new ones are answered 480.
    pub async fn set_online(&self, channel: &Channel, online: bool) -> Result<(), Error> {
        let id = channel.id;
        self.command(Command::Channel { id, online }).await
    }

    /// Something happens: told to whoever has subscribed to alarms, or as a MESSAGE
    /// ([`Alarm::motion`] is the usual one). An alarm input that the platform has disarmed keeps it
    /// to itself, and so does a camera that is not registered.
    pub async fn alarm(&self, alarm: Alarm) -> Result<(), Error> {
        self.command(Command::Alarm(alarm)).await
    }

    /// Asks the platform to call a channel (VideoUploadNotify of 2022), as a body camera does whose
    /// button is pressed. A camera that is not registered keeps it to itself.
    pub async fn offer_video(&self, channel: &Channel) -> Result<(), Error> {
        self.command(Command::OfferVideo(channel.id)).await
    }

    /// The camera is somewhere else; who has subscribed to its position is told in time.
    pub async fn move_to(&self, position: Position) -> Result<(), Error> {
        self.command(Command::Move(position)).await
    }

    /// Something happens to a channel that its state does not show, such as
    /// [`CatalogEvent::VideoLost`]: told to whoever has subscribed to the catalogue. It is told only:
    /// channels come and go with [`add_channel`](Self::add_channel) and
    /// [`remove_channel`](Self::remove_channel).
    pub async fn catalog_event(&self, channel: &Channel, event: CatalogEvent) -> Result<(), Error> {
        let id = channel.id;
        self.command(Command::Changed { id, event }).await
    }

    /// Ends every call with BYE, as a device does that runs out of something.
    pub async fn hang_up(&self) -> Result<(), Error> {
        self.command(Command::HangUp).await
    }

    /// Switches it on for the first time.
    pub(super) async fn switch_on(&self) -> Result<(), Error> {
        self.command(Command::PowerOn).await
    }

    /// Switches it on again after [`power_off`](Self::power_off). While that is still under way,
    /// it comes up as soon as it is off.
    pub async fn power_on(&self) -> Result<(), Error> {
        self.standing.send_modify(Standing::come_back);
        self.switch_on().await
    }

    /// Ends every call with BYE, unregisters and closes everything. Waits for the answers, which
    /// a platform that is gone never gives: then 32 s (timer F of RFC 3261). An error says that
    /// the platform did not confirm; the camera is off all the same.
    pub async fn power_off(&self) -> Result<(), Error> {
        let was_registered = self.is_registered();
        let before = self.standing.borrow().departures;
        self.standing.send_modify(Standing::leave);
        self.command(Command::PowerOff).await?;
        self.wait(|standing| standing.off || standing.departures != before)
            .await?;
        let confirmed = self.standing.borrow().confirmed;
        if was_registered && !confirmed {
            return Err(Error::NotUnregistered(self.id()));
        }
        Ok(())
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.task.command(Wish::Command(command)).await
    }

    async fn wait(&self, done: impl FnMut(&Standing) -> bool) -> Result<(), Error> {
        let mut standing = self.standing.subscribe();
        tokio::select! {
            biased;
            _ = standing.wait_for(done) => Ok(()),
            () = self.task.ended() => Err(self.task.gone()),
        }
    }
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera")
            .field("id", &self.id())
            .field("profile", &self.config.profile.name)
            .field("registered", &self.is_registered())
            .finish_non_exhaustive()
    }
}
