//! `vcam run` itself, from its start to its first REGISTER, with a large clip.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::table::Table;

/// Octets of the clip.
const CLIP: usize = 100_000_000;
const STREET: &[u8] = include_bytes!("../../media/street-720p25.h264");
const ROUNDS: usize = 3;

pub fn measure(cameras: u32, table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("large.h264"),
        STREET.repeat(CLIP.div_ceil(STREET.len())),
    )?;
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        all.push(start(cameras, folder.path())?);
    }
    all.sort_by(f64::total_cmp);
    let what =
        format!("start of vcam run: CPU-s to the first REGISTER, {cameras} cameras, 100 MB clip");
    table.bar(&what, all[all.len() / 2], 1.0);
    Ok(())
}

/// CPU seconds until the first REGISTER arrived here.
fn start(cameras: u32, folder: &Path) -> Result<f64, Box<dyn std::error::Error>> {
    let platform = UdpSocket::bind("127.0.0.1:0")?;
    platform.set_read_timeout(Some(Duration::from_secs(60)))?;
    let file = folder.join("fleet.toml");
    let text = format!(
        "[platform]\naddress = \"{}\"\n[[cameras]]\ncount = {cameras}\nmedia = \"large.h264\"\n\
         [addresses]\nmode = \"shared-socket\"\n",
        platform.local_addr()?,
    );
    std::fs::write(&file, text)?;
    let vcam = Command::new(env!("CARGO_BIN_EXE_vcam"))
        .arg("run")
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()?;
    let mut vcam = Ending(vcam);
    let mut datagram = [0; 2048];
    let octets = platform.recv(&mut datagram)?;
    let used = used(vcam.0.id())?;
    vcam.0.kill()?;
    match datagram[..octets].starts_with(b"REGISTER ") {
        true => Ok(used),
        false => Err("something else than REGISTER came first".into()),
    }
}

/// A process that ends with its owner.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU seconds that a process has used: fields 14 and 15 of its `stat`, in ticks.
fn used(process: u32) -> Result<f64, Box<dyn std::error::Error>> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("a stat without a name")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| -> Result<f64, Box<dyn std::error::Error>> {
        Ok(fields.get(field - 3).ok_or("a short stat")?.parse()?)
    };
    Ok((ticks(14)? + ticks(15)?) / TICKS)
}
