//! H.264 streams written bit by bit, for what no encoder at hand writes: separate fields, picture
//! order types, redundant pictures, odd timing. Slices end after their headers.

use bytes::Bytes;

use super::super::clip::{Clip, ClipError, ClipOptions};
use super::super::nal::START_CODE;

/// Bits of a raw byte sequence payload.
#[derive(Default)]
pub struct Bits(Vec<bool>);

impl Bits {
    pub fn u(&mut self, width: u32, value: u32) -> &mut Self {
        self.0
            .extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    pub fn ue(&mut self, value: u32) -> &mut Self {
        let width = 32 - (value + 1).leading_zeros();
        self.u(width - 1, 0).u(width, value + 1)
    }

    pub fn se(&mut self, value: i32) -> &mut Self {
        let twice = 2 * value.unsigned_abs();
        self.ue(if value > 0 { twice - 1 } else { twice })
    }

    /// The NAL unit, with stop bit, alignment and emulation prevention.
    fn unit(mut self, header: u8) -> Vec<u8> {
        self.0.push(true);
        let mut unit = vec![header];
        for octet in self.0.chunks(8) {
            let bits = octet.iter().enumerate();
            let octet = bits.fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at));
            if octet <= 3 && unit.len() > 2 && unit.ends_with(&[0, 0]) {
                unit.push(3);
            }
            unit.push(octet);
        }
        unit
    }
}

/// How pictures are ordered.
#[derive(Clone, Copy, Debug)]
pub enum OrderType {
    /// Type 0 with four bits.
    Lsb,
    /// Type 1: what a reference frame adds, and a non-reference frame.
    Expected(i32, i32),
    /// Type 2.
    Decoding,
}

/// What a stream's parameter sets say.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub order: OrderType,
    pub fields: bool,
    pub redundant: bool,
    /// `num_units_in_tick` and `time_scale`.
    pub timing: Option<(u32, u32)>,
    /// Macroblocks in a row and a column.
    pub size: (u32, u32),
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            order: OrderType::Lsb,
            fields: false,
            redundant: false,
            timing: None,
            size: (4, 4),
        }
    }
}

/// One slice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slice {
    pub first: u32,
    /// `slice_type`: 0 P, 1 B, 2 I.
    pub kind: u32,
    /// `nal_ref_idc` is 0.
    pub disposable: bool,
    pub number: u32,
    pub idr: Option<u32>,
    /// 0 top, 1 bottom.
    pub field: Option<u32>,
    pub lsb: u32,
    pub redundant: u32,
    /// Memory management operation 5.
    pub forgets: bool,
}

pub const P: u32 = 0;
pub const B: u32 = 1;
pub const I: u32 = 2;

/// A stream being written.
pub struct Writer {
    shape: Shape,
    pub file: Vec<u8>,
}

impl Writer {
    /// A stream that begins with its parameter sets.
    pub fn new(shape: Shape) -> Writer {
        let file = Vec::new();
        let mut writer = Writer { shape, file };
        writer.sets();
        writer
    }

    pub fn push(&mut self, unit: &[u8]) -> &mut Self {
        self.file.extend_from_slice(&START_CODE);
        self.file.extend_from_slice(unit);
        self
    }

    pub fn sets(&mut self) -> &mut Self {
        let mut sps = Bits::default();
        // Main profile, level 1.0: less than any camera's picture needs.
        sps.u(8, 77).u(8, 0).u(8, 10).ue(0).ue(0);
        match self.shape.order {
            OrderType::Lsb => sps.ue(0).ue(0),
            OrderType::Expected(reference, other) => {
                sps.ue(1).u(1, 1).se(other).se(0).ue(1).se(reference)
            }
            OrderType::Decoding => sps.ue(2),
        };
        let (width, height) = self.shape.size;
        sps.ue(4).u(1, 0).ue(width - 1).ue(height - 1);
        match self.shape.fields {
            true => sps.u(1, 0).u(1, 0),
            false => sps.u(1, 1),
        };
        sps.u(1, 1).u(1, 0);
        match self.shape.timing {
            None => sps.u(1, 0),
            Some((units, scale)) => {
                sps.u(1, 1)
                    .u(4, 0)
                    .u(1, 1)
                    .u(32, units)
                    .u(32, scale)
                    .u(1, 1);
                sps.u(4, 0)
            }
        };
        let mut pps = Bits::default();
        pps.ue(0)
            .ue(0)
            .u(1, 0)
            .u(1, 0)
            .ue(0)
            .ue(0)
            .ue(0)
            .u(1, 0)
            .u(2, 0);
        pps.se(0).se(0).se(0).u(1, 0).u(1, 0);
        pps.u(1, u32::from(self.shape.redundant));
        self.push(&sps.unit(0x67)).push(&pps.unit(0x68))
    }

    pub fn slice(&mut self, slice: Slice) -> &mut Self {
        let mut bits = Bits::default();
        bits.ue(slice.first)
            .ue(slice.kind)
            .ue(0)
            .u(4, slice.number % 16);
        match slice.field {
            Some(bottom) => bits.u(1, 1).u(1, bottom),
            None if self.shape.fields => bits.u(1, 0),
            None => &mut bits,
        };
        if let Some(id) = slice.idr {
            bits.ue(id);
        }
        if let OrderType::Lsb = self.shape.order {
            bits.u(4, slice.lsb % 16);
        }
        if self.shape.redundant {
            bits.ue(slice.redundant);
        }
        self.rest(&mut bits, slice);
        let kind = if slice.idr.is_some() { 5 } else { 1 };
        let reference = if slice.disposable { 0 } else { 0x60 };
        self.push(&bits.unit(reference | kind))
    }

    fn rest(&self, bits: &mut Bits, slice: Slice) {
        match slice.kind {
            P => bits.u(1, 0).u(1, 0),
            B => bits.u(1, 1).u(1, 0).u(1, 0).u(1, 0),
            _ => bits,
        };
        if slice.idr.is_some() {
            bits.u(2, 0);
        } else if slice.forgets {
            bits.u(1, 1).ue(5).ue(0);
        } else if !slice.disposable {
            bits.u(1, 0);
        }
        bits.se(0).u(16, 0xABCD);
    }

    pub fn clip(&self, options: ClipOptions) -> Result<Clip, ClipError> {
        Clip::parse("synthetic", Bytes::copy_from_slice(&self.file), options)
    }
}
