//! SnapShotConfig: pictures are taken, delivered one by one, and told about when the last is over
//! (GB/T 28181-2022 §9.14).

use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{SnapShotConfig, SnapShotFinished};
use crate::gb28181::time;
use crate::media::Still;
use crate::node::{HttpMethod, Job, JobBody, JobId, JobOutcome};
use crate::profile::UploadPolicy;
use crate::time::Wall;

use super::event::Event;
use super::line::Line;

/// How often a picture is sent before it is lost.
const ATTEMPTS: u8 = 3;
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer taken, in octets.
const LONGEST_ANSWER: u64 = 1 << 16;

/// One order of pictures.
pub(super) struct Snapshots {
    pub number: u32,
    pub channel: DeviceId,
    /// Whom the order named, and its SN, which the last word repeats.
    device_id: String,
    sn: String,
    order: SnapShotConfig,
    /// What the channel writes into its pictures.
    texts: Vec<String>,
    taken: u8,
    /// Pictures on their way.
    sent: Vec<Shot>,
    delivered: Vec<String>,
}

struct Shot {
    job: JobId,
    file: String,
    wall: Wall,
    serial: u8,
    attempts: u8,
}

impl Snapshots {
    pub fn new(
        number: u32,
        channel: DeviceId,
        (device_id, sn): (&str, &str),
        order: SnapShotConfig,
        texts: Vec<String>,
    ) -> Snapshots {
        Snapshots {
            number,
            channel,
            device_id: device_id.to_owned(),
            sn: sn.to_owned(),
            order,
            texts,
            taken: 0,
            sent: Vec::new(),
            delivered: Vec::new(),
        }
    }

    /// Takes the next picture, and has it delivered: how long until the one after it.
    pub fn take(&mut self, line: &mut Line, wall: Wall, job: JobId) -> Option<Duration> {
        self.taken += 1;
        let shot = Shot {
            job,
            file: SnapShotFinished::file_id(&self.channel, wall, self.taken),
            wall,
            serial: self.taken,
            attempts: 1,
        };
        self.deliver(line, &shot);
        self.sent.push(shot);
        let more = self.taken < self.order.number;
        more.then(|| Duration::from_secs(self.order.interval.into()))
    }

    /// Whether a picture of this order is delivered by that job.
    pub fn has(&self, job: JobId) -> bool {
        self.sent.iter().any(|shot| shot.job == job)
    }

    /// A picture has arrived, is sent again as `next`, or is lost.
    pub fn delivered(&mut self, line: &mut Line, job: JobId, outcome: JobOutcome, next: JobId) {
        let Some(at) = self.sent.iter().position(|shot| shot.job == job) else {
            return;
        };
        let mut shot = self.sent.swap_remove(at);
        let arrived = matches!(&outcome, Ok(answer) if (200..300).contains(&answer.status));
        if arrived {
            self.delivered.push(shot.file);
        } else if shot.attempts < ATTEMPTS {
            shot.attempts += 1;
            shot.job = next;
            self.deliver(line, &shot);
            self.sent.push(shot);
        } else {
            tracing::debug!(?outcome, file = shot.file, "a picture is lost");
        }
    }

    /// No more pictures are taken than have been.
    pub fn cut_short(&mut self) {
        self.order.number = self.taken;
    }

    /// Whether every picture has arrived or is lost.
    pub fn is_over(&self) -> bool {
        self.taken >= self.order.number && self.sent.is_empty()
    }

    /// The last word, once it is over.
    pub fn finished(&mut self, line: &mut Line) -> Option<Bytes> {
        if !self.is_over() {
            return None;
        }
        self.delivered.sort_unstable();
        let finished = SnapShotFinished {
            session_id: self.order.session_id.clone(),
            files: std::mem::take(&mut self.delivered),
        };
        let style = &line.config.profile.manscdp;
        let body = style.snapshot_finished(&self.sn, &self.device_id, &finished);
        line.tell(Event::SnapshotsDelivered {
            channel: self.channel,
            taken: self.taken,
            delivered: finished.files,
        });
        Some(body)
    }

    fn deliver(&self, line: &mut Line, shot: &Shot) {
        let picture = self.picture(line, shot);
        let session = &self.order.session_id;
        let url = self.order.upload_url.trim_end();
        let raw = |picture| JobBody {
            head: Bytes::new(),
            picture,
            tail: Bytes::new(),
        };
        let jpeg = "image/jpeg".to_owned();
        let (method, url, body) = match line.config.profile.behaviour.upload {
            UploadPolicy::PostForm => (
                HttpMethod::Post,
                url.to_owned(),
                form(shot, session, picture),
            ),
            UploadPolicy::Post => (HttpMethod::Post, url.to_owned(), (jpeg, raw(picture))),
            UploadPolicy::Put => {
                let url = format!("{}/{}.jpg", url.trim_end_matches('/'), shot.file);
                (HttpMethod::Put, url, (jpeg, raw(picture)))
            }
        };
        let job = Job {
            method,
            url,
            body: Some(body),
            limit: LONGEST_ANSWER,
            patience: PATIENCE,
        };
        line.job(shot.job, job);
    }

    /// As large as the main stream, and telling what a person would ask.
    fn picture(&self, line: &Line, shot: &Shot) -> Still {
        let channel = line.config.channel(self.channel.as_str());
        let clip = channel.map(|channel| channel.source.clip());
        let side = |length: Option<u32>| u16::try_from(length.unwrap_or(0)).unwrap_or(u16::MAX);
        let name = channel.map_or("", |channel| channel.name.as_str());
        let facts = [
            self.channel.to_string(),
            time::local_millis(shot.wall),
            format!("#{}/{}", shot.serial, self.order.number),
        ];
        Still {
            width: side(clip.map(|clip| clip.width())),
            height: side(clip.map(|clip| clip.height())),
            lines: [&[name.to_owned()], &self.texts[..], &facts].concat(),
        }
    }
}

/// A form with the session and the file (RFC 7578). Its boundary is in neither: a file's name has
/// digits only, and a JPEG hardly 41 of them on end.
fn form(shot: &Shot, session: &str, picture: Still) -> (String, JobBody) {
    let file = &shot.file;
    let boundary = format!("vcam-{file}");
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"SessionID\"\r\n\r\n{session}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    );
    let body = JobBody {
        head: head.into(),
        picture,
        tail: format!("\r\n--{boundary}--\r\n").into(),
    };
    (format!("multipart/form-data; boundary={boundary}"), body)
}
