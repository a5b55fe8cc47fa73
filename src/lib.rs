//! vcam plays GB/T 28181 cameras and recorders.

pub mod time;
// pub mod node; // enabled when media lands its order types
pub mod sip;
pub mod gb28181;
pub mod media;
pub mod profile;
pub mod camera;
pub mod platform;
pub mod lab;
pub mod net;
pub mod api;
pub mod cli;
