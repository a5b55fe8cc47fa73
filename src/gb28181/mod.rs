//! What GB/T 28181 adds on top of SIP: identifiers, MANSCDP and MANSRTSP bodies, SDP with `y=` and
//! `f=`.
//!
//! Everything here works on bytes and plain data. How a make writes its bodies is data too:
//! [`ManscdpStyle`] and [`SdpStyle`] hold templates (see [`template`]) that a profile fills.

pub mod charset;
pub mod device_id;
pub mod element;
#[cfg(test)]
mod golden;
pub mod manscdp;
pub mod mansrtsp;
mod mansrtsp_style;
pub mod ptz;
pub mod sdp;
pub mod ssrc;
pub mod subject;
pub mod template;
pub mod time;
pub mod xml_style;

pub use device_id::{DeviceId, DeviceIdError};
pub use element::{Element, XmlError};
pub use manscdp::ManscdpStyle;
pub use mansrtsp_style::MansrtspStyle;
pub use ptz::{Ptz, PtzError};
pub use sdp::SdpStyle;
pub use ssrc::Ssrc;
pub use subject::Subject;
pub use xml_style::XmlStyle;
