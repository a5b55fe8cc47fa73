//! Program stream demultiplexer, written from ISO/IEC 13818-1 §2.5 for a receiver that trusts
//! nobody: octets come in pieces of any size, headers are checked, and after a loss it finds
//! the next pack header again. It keeps headers only, never payload.

pub mod syntax;

use memchr::memchr;

use super::verdict::Fault;
use syntax::{PackHeader, PesHeader, ProgramMap, stream};

/// The longest system header or map that is read; longer ones are skipped as faults. The
/// standard limits a map to 1,024 octets and a system header to far less.
const HEADER_MAX: usize = 1024;

/// What the demultiplexer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsEvent<'a> {
    /// A pack begins.
    Pack(PackHeader),
    /// A system header.
    SystemHeader,
    /// A program stream map that is in force.
    Map(&'a ProgramMap),
    /// A PES packet of a listed stream begins.
    Pes(PesHeader),
    /// The next octets of the PES packet's payload.
    Data(&'a [u8]),
    /// `MPEG_program_end_code`.
    End,
    /// Something is wrong.
    Fault {
        /// What.
        fault: Fault,
        /// The octet of the piece now being pushed where it was noticed.
        offset: usize,
    },
}

/// Where the demultiplexer stands between two pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Between two packets: a start code has to follow.
    Boundary,
    /// Inside a header or a PES packet of known length.
    Inside,
    /// Inside a PES packet of length 0, which any start code ends.
    Unbounded,
    /// Looking for the next pack header.
    Searching,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Looking for `00 00 01 BA`. `silent` when the fault was reported or is a loss.
    Search { last: u32, seen: u8, silent: bool },
    /// Collecting `need` octets of header from its start code on.
    Header { need: usize },
    /// Payload of a PES packet; `wanted` when its stream is listed.
    Payload { left: usize, wanted: bool },
    /// Payload of a PES packet of length 0; `prefix` octets of `00 00 01` are held back.
    Unbounded { prefix: usize, wanted: bool },
}

const PACK_START: u32 = 0x0000_01BA;
const START_CODE: State = State::Header { need: 4 };
const PREFIX: [u8; 3] = [0, 0, 1];

/// The demultiplexer of one program stream.
#[derive(Clone, Debug)]
pub struct Demuxer {
    state: State,
    header: Vec<u8>,
    map: Option<ProgramMap>,
    after_pack: bool,
}

impl Default for Demuxer {
    fn default() -> Self {
        Demuxer {
            state: searching(false),
            header: Vec::new(),
            map: None,
            after_pack: false,
        }
    }
}

fn searching(silent: bool) -> State {
    State::Search {
        last: u32::MAX,
        seen: 0,
        silent,
    }
}

/// What the octets of a header collected so far lead to.
enum Step {
    /// So many octets from the start code on are needed.
    More(usize),
    /// The header is complete; this follows.
    Then(State),
    /// This is no header.
    GiveUp(Fault),
}

/// Where events go, and which octet of the piece is being read.
struct Out<'s> {
    at: usize,
    sink: &'s mut dyn FnMut(PsEvent<'_>),
}

impl Out<'_> {
    fn event(&mut self, event: PsEvent<'_>) {
        (self.sink)(event);
    }

    fn fault(&mut self, fault: Fault) {
        let offset = self.at;
        self.event(PsEvent::Fault { fault, offset });
    }
}

impl Demuxer {
    /// A demultiplexer that waits for the first pack header.
    pub fn new() -> Demuxer {
        Demuxer::default()
    }

    /// Takes the next octets; `sink` is told what is in them, in order.
    pub fn push(&mut self, octets: &[u8], sink: &mut dyn FnMut(PsEvent<'_>)) {
        self.feed(octets, &mut Out { at: 0, sink });
    }

    /// Octets are missing here: looks for the next pack header.
    pub fn lost(&mut self) {
        self.state = searching(true);
    }

    /// Ends a PES packet of length 0 where its frame ends, delivering what was held back.
    pub fn flush(&mut self, sink: &mut dyn FnMut(PsEvent<'_>)) {
        if let State::Unbounded { prefix, wanted } = self.state {
            deliver(
                PREFIX.get(..prefix).filter(|_| wanted),
                &mut Out { at: 0, sink },
            );
            self.header.clear();
            self.state = START_CODE;
        }
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        match self.state {
            State::Search { .. } => Position::Searching,
            State::Header { .. } if self.header.is_empty() => Position::Boundary,
            State::Header { .. } | State::Payload { .. } => Position::Inside,
            State::Unbounded { .. } => Position::Unbounded,
        }
    }

    /// The map in force.
    pub fn map(&self) -> Option<&ProgramMap> {
        self.map.as_ref()
    }

    fn feed(&mut self, mut octets: &[u8], out: &mut Out<'_>) {
        while !octets.is_empty() {
            let taken = match self.state {
                State::Search { last, seen, silent } => {
                    self.search(octets, last, seen, silent, out)
                }
                State::Header { need } => self.collect(octets, need, out),
                State::Payload { left, wanted } => self.payload(octets, left, wanted, out),
                State::Unbounded { prefix, wanted } => self.unbounded(octets, prefix, wanted, out),
            };
            out.at += taken;
            octets = octets.get(taken..).unwrap_or_default();
        }
    }

    fn search(
        &mut self,
        octets: &[u8],
        mut last: u32,
        mut seen: u8,
        mut silent: bool,
        out: &mut Out<'_>,
    ) -> usize {
        for (index, octet) in octets.iter().enumerate() {
            last = last << 8 | u32::from(*octet);
            seen = seen.saturating_add(1);
            if last == PACK_START {
                self.header.clear();
                self.header.extend(last.to_be_bytes());
                self.state = State::Header {
                    need: PackHeader::FIXED,
                };
                return index + 1;
            }
            if seen == 4 && !silent {
                silent = true;
                out.fault(Fault::NoStartCode);
            }
        }
        self.state = State::Search { last, seen, silent };
        octets.len()
    }

    fn collect(&mut self, octets: &[u8], need: usize, out: &mut Out<'_>) -> usize {
        let taken = need.saturating_sub(self.header.len()).min(octets.len());
        self.header.extend(octets.iter().take(taken));
        if self.header.len() < need {
            return taken;
        }
        let mut header = std::mem::take(&mut self.header);
        match self.read(&header, out) {
            Step::More(need) => {
                self.state = State::Header { need };
                self.header = header;
            }
            Step::Then(state) => {
                self.state = state;
                header.clear();
                self.header = header;
            }
            Step::GiveUp(fault) => {
                out.fault(fault);
                self.lost();
                // A pack may have begun inside what was taken for a header.
                let at = out.at;
                self.feed(header.get(1..).unwrap_or_default(), out);
                out.at = at;
            }
        }
        taken
    }

    /// Reads the header collected so far.
    fn read(&mut self, header: &[u8], out: &mut Out<'_>) -> Step {
        let [0, 0, 1, code @ stream::END..=0xFF, ..] = *header else {
            return Step::GiveUp(Fault::NoStartCode);
        };
        let step = match code {
            stream::END => {
                out.event(PsEvent::End);
                Step::Then(START_CODE)
            }
            stream::PACK => pack(header, out),
            stream::SYSTEM_HEADER | stream::MAP => self.table(header, out),
            bare if stream::is_bare(bare) => match counted_length(header) {
                Some(length) => Step::Then(payload_of(length, false)),
                None => Step::More(6),
            },
            _ => self.pes(header, out),
        };
        if let Step::Then(_) = step {
            self.after_pack = code == stream::PACK;
        }
        step
    }

    /// A system header or a map: both count their octets.
    fn table(&mut self, header: &[u8], out: &mut Out<'_>) -> Step {
        let is_map = header.get(3) == Some(&stream::MAP);
        let Some(length) = counted_length(header) else {
            return Step::More(6);
        };
        if length > HEADER_MAX {
            out.fault(if is_map {
                Fault::MapSyntax
            } else {
                Fault::SystemHeader
            });
            return Step::Then(payload_of(length, false));
        }
        if header.len() < 6 + length {
            return Step::More(6 + length);
        }
        if is_map {
            self.program_map(header, out);
        } else {
            self.system_header(header, out);
        }
        Step::Then(START_CODE)
    }

    fn system_header(&self, header: &[u8], out: &mut Out<'_>) {
        if !self.after_pack {
            out.fault(Fault::SystemHeaderMisplaced);
        }
        if syntax::is_system_header(header) {
            out.event(PsEvent::SystemHeader);
        } else {
            out.fault(Fault::SystemHeader);
        }
    }

    fn program_map(&mut self, header: &[u8], out: &mut Out<'_>) {
        let Some(map) = ProgramMap::read(header) else {
            return out.fault(Fault::MapSyntax);
        };
        if !map.is_crc_right() {
            out.fault(Fault::MapCrc);
        }
        if !map.is_current() {
            return out.fault(Fault::MapNotCurrent);
        }
        out.event(PsEvent::Map(&map));
        self.map = Some(map);
    }

    fn pes(&mut self, header: &[u8], out: &mut Out<'_>) -> Step {
        let [_, _, _, id, ..] = *header else {
            return Step::More(6);
        };
        let Some(length) = counted_length(header) else {
            return Step::More(6);
        };
        if length == 0 && !stream::is_video(id) {
            return Step::GiveUp(Fault::PesLengthZero);
        }
        if (1..3).contains(&length) {
            return Step::GiveUp(Fault::PesHeader);
        }
        let Some(fields) = header.get(8) else {
            return Step::More(PesHeader::FIXED);
        };
        let whole = PesHeader::FIXED + usize::from(*fields);
        if length > 0 && whole > 6 + length {
            return Step::GiveUp(Fault::PesHeader);
        }
        if header.len() < whole {
            return Step::More(whole);
        }
        let wanted = self.map.is_none_or(|map| map.stream_type(id).is_some());
        match PesHeader::read(header) {
            Ok((pes, fault)) => announce(pes, fault, wanted, out),
            Err(fault) => return Step::GiveUp(fault),
        }
        if length > 0 {
            return Step::Then(payload_of(6 + length - whole, wanted));
        }
        out.fault(Fault::PesLengthZero);
        Step::Then(State::Unbounded { prefix: 0, wanted })
    }

    fn payload(&mut self, octets: &[u8], left: usize, wanted: bool, out: &mut Out<'_>) -> usize {
        let taken = left.min(octets.len());
        deliver(octets.get(..taken).filter(|_| wanted), out);
        self.state = payload_of(left - taken, wanted);
        taken
    }

    /// Payload that ends where a start code of the system layer begins. Those of a video stream
    /// are below B9.
    fn unbounded(
        &mut self,
        octets: &[u8],
        prefix: usize,
        wanted: bool,
        out: &mut Out<'_>,
    ) -> usize {
        let Some((&octet, _)) = octets.split_first() else {
            return 0;
        };
        let (prefix, taken) = match (prefix, octet) {
            (0 | 1, 0) => (prefix + 1, 1),
            (2, 0) => {
                deliver(PREFIX.get(..1).filter(|_| wanted), out);
                (2, 1)
            }
            (2, 1) => (3, 1),
            (3, stream::END..) => {
                self.header.clear();
                self.header.extend(PREFIX);
                self.state = START_CODE;
                return 0;
            }
            _ => {
                deliver(PREFIX.get(..prefix).filter(|_| wanted), out);
                let run = memchr(0, octets).unwrap_or(octets.len());
                deliver(octets.get(..run).filter(|_| wanted), out);
                (0, run)
            }
        };
        self.state = State::Unbounded { prefix, wanted };
        taken
    }
}

fn pack(header: &[u8], out: &mut Out<'_>) -> Step {
    if header.len() < PackHeader::FIXED {
        return Step::More(PackHeader::FIXED);
    }
    let Some(pack) = PackHeader::read(header) else {
        return Step::GiveUp(Fault::PackHeader);
    };
    if header.len() < PackHeader::whole(header) {
        return Step::More(PackHeader::whole(header));
    }
    out.event(PsEvent::Pack(pack));
    if !PackHeader::is_stuffed_right(header) {
        out.fault(Fault::Stuffing);
    }
    if pack.mux_rate == 0 {
        out.fault(Fault::MuxRateZero);
    }
    Step::Then(START_CODE)
}

fn announce(pes: PesHeader, fault: Option<Fault>, wanted: bool, out: &mut Out<'_>) {
    if let Some(fault) = fault {
        out.fault(fault);
    }
    if wanted {
        out.event(PsEvent::Pes(pes));
    } else {
        out.fault(Fault::UnlistedStream);
    }
}

fn deliver(octets: Option<&[u8]>, out: &mut Out<'_>) {
    if let Some(octets) = octets.filter(|octets| !octets.is_empty()) {
        out.event(PsEvent::Data(octets));
    }
}

/// The two octets of length behind a start code.
fn counted_length(header: &[u8]) -> Option<usize> {
    let length = header.get(4..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*length)))
}

fn payload_of(left: usize, wanted: bool) -> State {
    match left {
        0 => START_CODE,
        left => State::Payload { left, wanted },
    }
}

#[cfg(test)]
mod tests;
