//! vcam plays GB/T 28181 cameras and recorders.

pub mod api;
pub mod camera;
pub mod cli;
pub mod gb28181;
pub mod lab;
pub mod media;
pub mod net;
pub mod node;
pub mod platform;
pub mod profile;
pub mod sip;
pub mod time;
