//! What a running camera is like at the moment.

use tokio::sync::oneshot;

use super::super::channel::Channel;
use super::super::error::Error;
use super::super::observed::Wish;
use super::Camera;
use crate::camera;
use crate::gb28181::Element;
use crate::gb28181::manscdp::{ConfigType, Preset, PtzPosition};
use crate::time::Now;

impl Camera {
    /// Where a channel's head looks.
    pub async fn looks_at(&self, channel: &Channel) -> Result<PtzPosition, Error> {
        let id = channel.id;
        self.look(move |camera, now| camera.looks_at(now, &id))
            .await
    }

    /// The places that a channel's head knows.
    pub async fn presets(&self, channel: &Channel) -> Result<Vec<Preset>, Error> {
        let id = channel.id;
        self.look(move |camera, _| camera.presets(&id)).await
    }

    /// The block of configuration that a platform has written for a channel (DeviceConfig); `None`
    /// before it does. Basic parameters take effect in the camera's
    /// [`Config`](camera::Config), at which [`look`](Self::look) looks.
    pub async fn written(
        &self,
        channel: &Channel,
        kind: ConfigType,
    ) -> Result<Option<Element>, Error> {
        let id = channel.id;
        self.look(move |camera, _| camera.written(id, kind).cloned())
            .await
    }

    /// Looks at the camera as it is at the moment, behind everything it was told to do before:
    /// whatever [`camera::Camera`] tells of itself, such as its calls or what it has been
    /// configured to. Signalling waits meanwhile.
    pub async fn look<T: Send + 'static>(
        &self,
        glance: impl FnOnce(&camera::Camera, Now) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        let glance = move |camera: &camera::Camera, now: Now| {
            // Whoever asked may have gone.
            let _ = tell.send(glance(camera, now));
        };
        self.task.command(Wish::Look(Box::new(glance))).await?;
        told.await.map_err(|_| self.task.gone())
    }
}
