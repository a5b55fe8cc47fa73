//! From bytes to messages, and what becomes of bytes that are none.

use std::net::SocketAddr;

use bytes::Bytes;
use tracing::debug;

use super::{Endpoint, EndpointOutput, Route};
use crate::sip::{
    Answer, Fault, FlowId, Framed, Headers, Message, ParseError, Response, Style, Transport, Via,
};
use crate::time::Instant;

impl Endpoint {
    pub(super) fn receive_datagram(
        &mut self,
        now: Instant,
        flow: FlowId,
        from: SocketAddr,
        bytes: Bytes,
    ) {
        match Message::parse(bytes) {
            Ok(message) => self.received_message(now, flow, from, message),
            Err(error) => self.receive_fault(flow, from, error),
        }
    }

    pub(super) fn receive_stream(
        &mut self,
        now: Instant,
        flow: FlowId,
        from: SocketAddr,
        bytes: &[u8],
    ) {
        if let Some(framer) = self.framer(flow) {
            framer.push(bytes);
        }
        while let Some(framed) = self.framer(flow).and_then(|framer| framer.next()) {
            match framed {
                Ok(Framed::Message(message)) => self.received_message(now, flow, from, message),
                Ok(Framed::Ping) => self.pong(flow, from),
                Err(error) => {
                    self.receive_fault(flow, from, error.error);
                    if error.close {
                        self.break_off(flow);
                    }
                }
            }
        }
    }

    /// RFC 5626 §3.5.1.
    fn pong(&mut self, flow: FlowId, to: SocketAddr) {
        self.counters.pings += 1;
        self.send(Route { flow, to }, Bytes::from_static(b"\r\n"));
    }

    fn break_off(&mut self, flow: FlowId) {
        self.counters.broken_streams += 1;
        self.out.push_back(EndpointOutput::Close(flow));
        self.closed(flow);
    }

    /// Counts what is no message, and tells its sender if that is possible. Nothing is remembered:
    /// a copy is answered the same way again.
    fn receive_fault(&mut self, flow: FlowId, from: SocketAddr, error: ParseError) {
        if error.fault == Fault::Keepalive {
            self.counters.keepalives += 1;
            return;
        }
        self.counters.malformed += 1;
        debug!(flow = flow.0, %from, fault = %error.fault, "not a usable SIP message");
        let Answer::Status { status, headers } = error.answer else {
            return;
        };
        let Ok(via) = headers.via() else {
            return;
        };
        self.counters.faults_answered += 1;
        let mut response = Response::answering(&headers, status, self.style.phrase(status));
        echo_via(&mut response.headers, from, &self.style);
        self.complete_answer(&mut response, None);
        let route = self.route_back(flow, from, &via);
        self.send(route, response.write(&self.style));
    }

    /// Where the answer to a request goes (RFC 3261 §18.2.2, RFC 3581 §4): back on a connection; in
    /// a datagram to the source port if the request asks for that, else to the port of sent-by.
    pub(super) fn route_back(&self, flow: FlowId, from: SocketAddr, via: &Via) -> Route {
        let mut to = from;
        if self.transport(flow) == Some(Transport::Udp) && !via.has_rport() {
            to.set_port(via.answer_port());
        }
        Route { flow, to }
    }
}

/// Writes into the topmost Via where its message came from; those below stay as they are.
pub(in crate::sip) fn echo_via(headers: &mut Headers, from: SocketAddr, style: &Style) {
    let mut vias: Vec<String> = headers.values("Via").map(str::to_owned).collect();
    if let Some(top) = vias.first_mut() {
        *top = Via::echo(top, from, style);
    }
    headers.remove("Via");
    for via in vias {
        headers.push("Via", via);
    }
}
