//! PTZCmd: eight octets that steer a camera's head (GB/T 28181-2022 annex A.3).
//!
//! `A5 0F address command data1 data2 (data3 << 4 | address) checksum`, written as 16 hex digits.
//! The address means nothing: the `DeviceID` around it says who is meant.

use std::fmt;

/// What the eight octets ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ptz {
    /// Move, or stop when nothing moves; a stop also ends a cruise or a scan (A.3.2).
    Move(Motion),
    /// Turn focus and iris, or stop them (A.3.3).
    Lens(Lens),
    /// Do something with a preset, 1-255 (A.3.4).
    Preset(PresetAct, u8),
    /// Do something with a cruise track (A.3.5).
    Cruise {
        /// Which track.
        track: u8,
        /// What to do.
        act: CruiseAct,
    },
    /// Do something with an automatic scan (A.3.6).
    Scan {
        /// Which scan.
        group: u8,
        /// What to do.
        act: ScanAct,
    },
    /// Turn an auxiliary switch on or off; switch 1 is the wiper (A.3.7).
    Aux {
        /// Which switch.
        switch: u8,
        /// Whether it goes on.
        on: bool,
    },
}

/// A movement, each way as the picture shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Motion {
    /// Right is forward; `None`: no movement.
    pub pan: Option<Toward>,
    /// Up is forward.
    pub tilt: Option<Toward>,
    /// In is forward; speeds 0-15.
    pub zoom: Option<Toward>,
}

/// A direction with a speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toward {
    /// Right, up, in, far or open, as opposed to left, down, out, near or closed.
    pub forward: bool,
    /// How fast, in units of the command: 0-255, zoom 0-15.
    pub speed: u8,
}

/// Focus and iris.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lens {
    /// Far is forward.
    pub focus: Option<Toward>,
    /// Open is forward.
    pub iris: Option<Toward>,
}

/// What may be done with a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetAct {
    /// Keep where the head stands under this number.
    Set,
    /// Go there.
    Call,
    /// Forget it.
    Delete,
}

/// What may be done with a cruise track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CruiseAct {
    /// Add this preset at the end.
    Add(u8),
    /// Take this preset out.
    Remove(u8),
    /// Delete the whole track.
    Clear,
    /// Travel this fast from now on, 12 bits.
    Speed(u16),
    /// Stay this long at each point, in seconds, 12 bits.
    Dwell(u16),
    /// Go round.
    Start,
}

/// What may be done with a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanAct {
    /// Sweep between the borders.
    Start,
    /// Here is the left border.
    Left,
    /// Here is the right border.
    Right,
    /// Sweep this fast, 12 bits.
    Speed(u16),
}

/// Why a PTZCmd is not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PtzError {
    /// Not 16 hexadecimal digits.
    #[error("not 16 hexadecimal digits")]
    Digits,
    /// It does not begin with A5, or its version octet contradicts itself.
    #[error("no A5 with a version behind it")]
    Head,
    /// The last octet is not the sum of the others.
    #[error("the checksum is {found:02X} and not {expected:02X}")]
    Checksum {
        /// What stands there.
        found: u8,
        /// The sum of the other seven octets.
        expected: u8,
    },
    /// The command octet is not in annex A.3, or wants two opposite things.
    #[error("no such command: {0:02X}")]
    Command(u8),
    /// A preset with the number 0.
    #[error("presets are numbered from 1")]
    Preset,
}

impl Ptz {
    /// Nothing moves any more.
    pub const STOP: Ptz = Ptz::Move(Motion {
        pan: None,
        tilt: None,
        zoom: None,
    });

    /// Reads 16 hexadecimal digits of either case, white space around them allowed.
    pub fn parse(text: &str) -> Result<Ptz, PtzError> {
        let [a5, version, address, command, data1, data2, data3, sum] = octets(text.trim())?;
        let check = 0xA_u8.wrapping_add(5).wrapping_add(version >> 4) & 0xF;
        if a5 != 0xA5 || version & 0xF != check {
            return Err(PtzError::Head);
        }
        let expected = checksum([a5, version, address, command, data1, data2, data3]);
        if sum != expected {
            let found = sum;
            return Err(PtzError::Checksum { found, expected });
        }
        Ptz::decode(command, data1, data2, data3 >> 4)
    }

    fn decode(command: u8, data1: u8, data2: u8, data3: u8) -> Result<Ptz, PtzError> {
        let wide = u16::from(data3) << 8 | u16::from(data2);
        let cruise = |act| Ptz::Cruise { track: data1, act };
        let scan = |act| Ptz::Scan { group: data1, act };
        Ok(match command {
            0x00..=0x3F => Ptz::Move(Motion {
                pan: toward(command, 0x01, 0x02, data1)?,
                tilt: toward(command, 0x08, 0x04, data2)?,
                zoom: toward(command, 0x10, 0x20, data3)?,
            }),
            0x40..=0x4F => Ptz::Lens(Lens {
                focus: toward(command, 0x01, 0x02, data1)?,
                iris: toward(command, 0x04, 0x08, data2)?,
            }),
            0x81..=0x83 if data2 == 0 => return Err(PtzError::Preset),
            0x81 => Ptz::Preset(PresetAct::Set, data2),
            0x82 => Ptz::Preset(PresetAct::Call, data2),
            0x83 => Ptz::Preset(PresetAct::Delete, data2),
            0x84 if data2 == 0 => return Err(PtzError::Preset),
            0x84 => cruise(CruiseAct::Add(data2)),
            0x85 if data2 == 0 => cruise(CruiseAct::Clear),
            0x85 => cruise(CruiseAct::Remove(data2)),
            0x86 => cruise(CruiseAct::Speed(wide)),
            0x87 => cruise(CruiseAct::Dwell(wide)),
            0x88 => cruise(CruiseAct::Start),
            0x89 if data2 == 0 => scan(ScanAct::Start),
            0x89 if data2 == 1 => scan(ScanAct::Left),
            0x89 if data2 == 2 => scan(ScanAct::Right),
            0x8A => scan(ScanAct::Speed(wide)),
            0x8C | 0x8D => Ptz::Aux {
                switch: data1,
                on: command == 0x8C,
            },
            _ => return Err(PtzError::Command(command)),
        })
    }

    /// The octets for a device with this address, of which twelve bits count.
    pub fn octets(self, address: u16) -> [u8; 8] {
        let (command, data1, data2, data3) = self.encode();
        let [high, low] = address.to_be_bytes();
        let last = data3 << 4 | high & 0xF;
        let head = [0xA5, 0x0F, low, command, data1, data2, last];
        let [a, b, c, d, e, f, g] = head;
        [a, b, c, d, e, f, g, checksum(head)]
    }

    fn encode(self) -> (u8, u8, u8, u8) {
        match self {
            Ptz::Move(Motion { pan, tilt, zoom }) => {
                let command = bit(pan, 0x01, 0x02) | bit(tilt, 0x08, 0x04) | bit(zoom, 0x10, 0x20);
                (command, speed(pan), speed(tilt), speed(zoom) & 0xF)
            }
            Ptz::Lens(Lens { focus, iris }) => {
                let command = 0x40 | bit(focus, 0x01, 0x02) | bit(iris, 0x04, 0x08);
                (command, speed(focus), speed(iris), 0)
            }
            Ptz::Preset(PresetAct::Set, number) => (0x81, 0, number, 0),
            Ptz::Preset(PresetAct::Call, number) => (0x82, 0, number, 0),
            Ptz::Preset(PresetAct::Delete, number) => (0x83, 0, number, 0),
            Ptz::Cruise { track, act } => match act {
                CruiseAct::Add(preset) => (0x84, track, preset, 0),
                CruiseAct::Remove(preset) => (0x85, track, preset, 0),
                CruiseAct::Clear => (0x85, track, 0, 0),
                CruiseAct::Speed(value) => wide(0x86, track, value),
                CruiseAct::Dwell(value) => wide(0x87, track, value),
                CruiseAct::Start => (0x88, track, 0, 0),
            },
            Ptz::Scan { group, act } => match act {
                ScanAct::Start => (0x89, group, 0, 0),
                ScanAct::Left => (0x89, group, 1, 0),
                ScanAct::Right => (0x89, group, 2, 0),
                ScanAct::Speed(value) => wide(0x8A, group, value),
            },
            Ptz::Aux { switch, on: true } => (0x8C, switch, 0, 0),
            Ptz::Aux { switch, on: false } => (0x8D, switch, 0, 0),
        }
    }
}

impl fmt::Display for Ptz {
    /// The 16 digits, for the address 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.octets(1).iter().try_for_each(|o| write!(f, "{o:02X}"))
    }
}

fn octets(text: &str) -> Result<[u8; 8], PtzError> {
    if text.len() != 16 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(PtzError::Digits);
    }
    let all = u64::from_str_radix(text, 16).map_err(|_| PtzError::Digits)?;
    Ok(all.to_be_bytes())
}

fn checksum(octets: [u8; 7]) -> u8 {
    octets.into_iter().fold(0, u8::wrapping_add)
}

/// One of two opposite bits of a command; both together are no command.
fn toward(command: u8, forward: u8, back: u8, speed: u8) -> Result<Option<Toward>, PtzError> {
    match (command & forward != 0, command & back != 0) {
        (true, true) => Err(PtzError::Command(command)),
        (false, false) => Ok(None),
        (forward, _) => Ok(Some(Toward { forward, speed })),
    }
}

fn bit(way: Option<Toward>, forward: u8, back: u8) -> u8 {
    match way {
        Some(Toward { forward: true, .. }) => forward,
        Some(_) => back,
        None => 0,
    }
}

fn speed(way: Option<Toward>) -> u8 {
    way.map_or(0, |way| way.speed)
}

/// A command with a value of 12 bits: the low eight in data 2, the rest in data 3.
fn wide(command: u8, group: u8, value: u16) -> (u8, u8, u8, u8) {
    let [high, low] = value.to_be_bytes();
    (command, group, low, high & 0xF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn go(forward: bool, speed: u8) -> Option<Toward> {
        Some(Toward { forward, speed })
    }

    fn moving(pan: Option<Toward>, tilt: Option<Toward>, zoom: Option<Toward>) -> Ptz {
        Ptz::Move(Motion { pan, tilt, zoom })
    }

    fn lens(focus: Option<Toward>, iris: Option<Toward>) -> Ptz {
        Ptz::Lens(Lens { focus, iris })
    }

    fn cruise(act: CruiseAct) -> Ptz {
        Ptz::Cruise { track: 1, act }
    }

    fn scan(act: ScanAct) -> Ptz {
        Ptz::Scan { group: 1, act }
    }

    /// Left at 0x96 and the presets were sent by real platforms; the rest is reckoned by A.3.
    #[test]
    fn every_command_has_its_octets() {
        let right_up_out = moving(go(true, 0x40), go(true, 0x40), go(false, 5));
        for (digits, ptz) in [
            ("A50F0100000000B5", Ptz::STOP),
            ("A50F01029600004D", moving(go(false, 0x96), None, None)),
            ("A50F0101400000F6", moving(go(true, 0x40), None, None)),
            ("A50F0108004000FD", moving(None, go(true, 0x40), None)),
            ("A50F0104004000F9", moving(None, go(false, 0x40), None)),
            ("A50F0129404050AE", right_up_out),
            ("A50F011000005015", moving(None, None, go(true, 5))),
            ("A50F012000005025", moving(None, None, go(false, 5))),
            ("A50F014140000036", lens(go(true, 0x40), None)),
            ("A50F014240000037", lens(go(false, 0x40), None)),
            ("A50F014400400039", lens(None, go(true, 0x40))),
            ("A50F01480040003D", lens(None, go(false, 0x40))),
            ("A50F0140000000F5", lens(None, None)),
            ("A50F018100020038", Ptz::Preset(PresetAct::Set, 2)),
            ("A50F018200020039", Ptz::Preset(PresetAct::Call, 2)),
            ("A50F01830002003A", Ptz::Preset(PresetAct::Delete, 2)),
            ("A50F01840102003C", cruise(CruiseAct::Add(2))),
            ("A50F01850102003D", cruise(CruiseAct::Remove(2))),
            ("A50F0186016400A0", cruise(CruiseAct::Speed(100))),
            ("A50F0187010A0047", cruise(CruiseAct::Dwell(10))),
            ("A50F01880100003E", cruise(CruiseAct::Start)),
            ("A50F01890100003F", scan(ScanAct::Start)),
            ("A50F018901010040", scan(ScanAct::Left)),
            ("A50F018901020041", scan(ScanAct::Right)),
            ("A50F018A016400A4", scan(ScanAct::Speed(100))),
            (
                "A50F018C01000042",
                Ptz::Aux {
                    switch: 1,
                    on: true,
                },
            ),
            (
                "A50F018D01000043",
                Ptz::Aux {
                    switch: 1,
                    on: false,
                },
            ),
        ] {
            assert_eq!(Ptz::parse(digits), Ok(ptz), "{digits}");
            assert_eq!(ptz.to_string(), digits);
        }
    }

    #[test]
    fn the_address_the_case_and_the_space_around_do_not_matter() {
        let up = Ok(moving(None, go(true, 0x64), None));
        assert_eq!(Ptz::parse("A50F000800640020"), up);
        assert_eq!(Ptz::parse(" a50f000800640020\n"), up);
        assert_eq!(Ptz::parse("A50F0000000000B4"), Ok(Ptz::STOP));
        let far = Ptz::STOP.octets(0xABC);
        assert_eq!(far, [0xA5, 0x0F, 0xBC, 0, 0, 0, 0x0A, 0x7A]);
    }

    #[test]
    fn a_value_of_twelve_bits_is_split_over_two_octets() {
        let speed = cruise(CruiseAct::Speed(0xFA5));
        let octets = speed.octets(1);
        assert_eq!(octets[4..7], [0x01, 0xA5, 0xF0]);
        assert_eq!(Ptz::parse(&speed.to_string()), Ok(speed));
    }

    #[test]
    fn what_is_broken_is_told_apart() {
        let sum = PtzError::Checksum {
            found: 0xB6,
            expected: 0xB5,
        };
        for (digits, error) in [
            ("", PtzError::Digits),
            ("A50F0100000000B", PtzError::Digits),
            ("A50F0100000000B5B5", PtzError::Digits),
            ("+50F0100000000B5", PtzError::Digits),
            ("云台云台云", PtzError::Digits),
            ("A40F0100000000B4", PtzError::Head),
            ("A50E0100000000B4", PtzError::Head),
            ("A50F0100000000B6", sum),
            ("A50F0103000000B8", PtzError::Command(0x03)),
            ("A50F018000000035", PtzError::Command(0x80)),
            ("A50F018100000036", PtzError::Preset),
        ] {
            assert_eq!(Ptz::parse(digits), Err(error), "{digits}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(command: u8, one: u8, two: u8, three in 0u8..16) {
            if let Ok(ptz) = Ptz::decode(command, one, two, three) {
                prop_assert_eq!(Ptz::parse(&ptz.to_string()), Ok(ptz));
            }
        }

        #[test]
        fn any_text_returns(text in ".{0,20}") {
            let _ = Ptz::parse(&text);
        }
    }
}
