//! VideoUploadNotify: a device asks to be called (GB/T 28181-2022 A.2.5).

use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;
use crate::gb28181::time;
use crate::time::Wall;

/// Who asks the platform to call it and take its pictures, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoUpload {
    /// `DeviceID`: who is to be called.
    pub id: String,
    /// `Time`: when it asked.
    pub time: Wall,
    /// `Longitude` and `Latitude` in degrees (WGS 84), if the device knows them.
    pub place: Option<(f64, f64)>,
}

impl ManscdpStyle {
    /// The wish to be called.
    pub fn video_upload(&self, sn: impl Display, upload: &VideoUpload) -> Bytes {
        let mut rest = vec![Element::leaf("Time", time::local(upload.time))];
        if let Some((longitude, latitude)) = upload.place {
            rest.push(Element::leaf("Longitude", longitude.to_string()));
            rest.push(Element::leaf("Latitude", latitude.to_string()));
        }
        self.write(Root::Notify, VideoUpload::CMD_TYPE, sn, &upload.id, rest)
    }
}

impl VideoUpload {
    /// Its `CmdType`.
    pub const CMD_TYPE: &str = "VideoUploadNotify";

    /// Reads such a wish. `None`: it does not say when, which it must.
    pub fn read(message: &Incoming) -> Option<VideoUpload> {
        let number = |name| message.body.text_of(name)?.trim().parse().ok();
        Some(VideoUpload {
            id: message.device_id.clone(),
            time: time::parse(message.body.text_of("Time")?)?,
            place: number("Longitude").zip(number("Latitude")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_to_be_called_is_these_octets_and_reads_back() {
        let mut upload = VideoUpload {
            id: "34020000001310000001".into(),
            time: time::parse("2024-05-17T14:07:33").unwrap(),
            place: Some((116.397, 39.916)),
        };
        let style = ManscdpStyle::default();
        let body = style.video_upload(12, &upload);
        assert_eq!(
            String::from_utf8_lossy(&body),
            "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
             <CmdType>VideoUploadNotify</CmdType>\n<SN>12</SN>\n\
             <DeviceID>34020000001310000001</DeviceID>\n<Time>2024-05-17T14:07:33</Time>\n\
             <Longitude>116.397</Longitude>\n<Latitude>39.916</Latitude>\n</Notify>\n"
        );
        let read = |body: &[u8]| VideoUpload::read(&Incoming::parse(body).unwrap());
        assert_eq!(read(&body), Some(upload.clone()));
        upload.place = None;
        assert_eq!(read(&style.video_upload(12, &upload)), Some(upload));
        let timeless = b"<Notify><CmdType>VideoUploadNotify</CmdType></Notify>";
        assert_eq!(read(timeless), None);
    }
}
