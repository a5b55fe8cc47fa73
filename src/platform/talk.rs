//! Talk: a call in which both sides speak (`s=Talk` of GB/T 28181-2016).

use std::net::SocketAddr;

use bytes::Bytes;

use crate::gb28181::sdp::{Answer, Direction, Kind, PCMA, Sdp, TalkOffer, Transport};
use crate::gb28181::{DeviceId, Ssrc};

use super::complaint::Deviation;

/// The body of an INVITE: we hear at `local`, and speak from there if `speaks`.
pub(super) fn offer(
    platform: &DeviceId,
    local: SocketAddr,
    ours: Transport,
    ssrc: &Ssrc,
    speaks: bool,
) -> Bytes {
    let offer = TalkOffer {
        platform_id: platform.to_string(),
        address: local.ip(),
        port: local.port(),
        transport: ours,
        direction: match speaks {
            true => Direction::SendRecv,
            false => Direction::RecvOnly,
        },
        ssrc: ssrc.clone(),
    };
    offer.write()
}

/// What an answer has to say of payload and direction.
pub(super) fn check(answer: &Answer, body: &[u8], noticed: &mut Vec<(Deviation, String)>) {
    if answer.kind != Kind::Audio || !answer.payloads.iter().any(|p| p.number == PCMA) {
        let numbers: Vec<_> = answer.payloads.iter().map(|p| p.number).collect();
        noticed.push((Deviation::SdpPayload, format!("payload types {numbers:?}")));
    }
    // Some devices have a media of their own for each direction: one of them sends.
    let sdp = Sdp::parse(body);
    let said = |wanted: Direction| {
        let mut lines = sdp.lines.iter();
        lines.any(|(key, text)| *key == b'a' && text.trim() == wanted.as_str())
    };
    if !said(Direction::SendRecv) && !said(Direction::SendOnly) {
        let detail = "nobody sends".to_owned();
        noticed.push((Deviation::SdpDirection, detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noticed(media: &str) -> Vec<Deviation> {
        let body = format!("v=0\r\ns=Talk\r\nc=IN IP4 192.0.2.1\r\n{media}");
        let answer = Answer::parse(body.as_bytes()).unwrap();
        let mut noticed = Vec::new();
        check(&answer, body.as_bytes(), &mut noticed);
        noticed.into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn one_media_for_both_ways_will_do_and_one_for_each_too() {
        let audio = "m=audio 9 RTP/AVP 8\r\na=";
        assert_eq!(noticed(&format!("{audio}sendrecv\r\n")), []);
        assert_eq!(
            noticed(&format!("{audio}recvonly\r\n{audio}sendonly\r\n")),
            []
        );
        assert_eq!(
            noticed(&format!("{audio}recvonly\r\n")),
            [Deviation::SdpDirection]
        );
        assert_eq!(
            noticed("m=video 9 RTP/AVP 96\r\na=sendonly\r\n"),
            [Deviation::SdpPayload]
        );
    }
}
