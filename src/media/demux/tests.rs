//! Octets written by hand from ISO/IEC 13818-1, in pieces of any size.

use proptest::prelude::*;

use super::*;

const PACK: [u8; 14] = [
    0, 0, 1, 0xBA, 0x44, 0, 0x16, 0xFC, 0x84, 0x01, 0, 0x5F, 0x6B, 0xF8,
];
const SYSTEM_HEADER: [u8; 15] = [
    0, 0, 1, 0xBB, 0, 9, 0x80, 0xCC, 0xF5, 0, 0xE1, 0x7F, 0xE0, 0xE1, 0x90,
];
const MAP: [u8; 20] = [
    0, 0, 1, 0xBC, 0, 0x0E, 0xE0, 0xFF, 0, 0, 0, 4, 0x1B, 0xE0, 0, 0, 0xF4, 0xDC, 0xBD, 0x45,
];

/// A PES packet with PTS 90,000.
fn pes(stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() + 8) as u16;
    let head = [0, 0, 1, stream, (length >> 8) as u8, length as u8];
    let fields = [0x80, 0x80, 5, 0x21, 0, 5, 0xBF, 0x21];
    [&head[..], &fields, payload].concat()
}

/// The same without length.
fn pes_without_length(stream: u8, payload: &[u8]) -> Vec<u8> {
    let mut pes = pes(stream, payload);
    pes[4..6].fill(0);
    pes
}

/// What was found: the payload of all listed streams, and everything else by name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    payload: Vec<u8>,
    events: Vec<String>,
}

fn feed(demuxer: &mut Demuxer, found: &mut Found, piece: &[u8]) {
    demuxer.push(piece, &mut |event| match event {
        PsEvent::Data(octets) => found.payload.extend(octets),
        PsEvent::Pack(pack) => found.events.push(format!("pack {}", pack.scr)),
        PsEvent::SystemHeader => found.events.push("system header".into()),
        PsEvent::Map(map) => found
            .events
            .push(format!("map {:?}", map.streams().collect::<Vec<_>>())),
        PsEvent::Pes(pes) => found
            .events
            .push(format!("pes {:X} {:?}", pes.stream, pes.pts)),
        PsEvent::End => found.events.push("end".into()),
        PsEvent::Fault { fault, .. } => found.events.push(format!("fault {fault:?}")),
    });
}

fn demux(pieces: &[&[u8]]) -> Found {
    let (mut demuxer, mut found) = (Demuxer::new(), Found::default());
    for piece in pieces {
        feed(&mut demuxer, &mut found, piece);
    }
    found
}

#[test]
fn a_key_frame_is_taken_apart() {
    let stream = [
        &PACK[..],
        &SYSTEM_HEADER,
        &MAP,
        &pes(0xE0, &[1, 2]),
        &pes(0xE0, &[3]),
        &[0, 0, 1, 0xB9],
    ]
    .concat();
    let found = demux(&[&stream]);
    assert_eq!(found.payload, [1, 2, 3]);
    let pes = "pes E0 Some(90000)";
    assert_eq!(
        found.events,
        [
            "pack 27000000",
            "system header",
            "map [(224, 27)]",
            pes,
            pes,
            "end"
        ]
    );
}

#[test]
fn packets_without_pes_header_and_stuffing_are_stepped_over() {
    let mut pack = PACK.to_vec();
    pack[13] = 0xFE;
    pack.extend([0xFF; 6]);
    let padding = [0, 0, 1, 0xBE, 0, 4, 0, 0, 1, 0xBA];
    let private_2 = [0, 0, 1, 0xBF, 0, 0];
    let found = demux(&[&pack, &padding, &private_2, &pes(0xE0, &[7])]);
    assert_eq!(found.events, ["pack 27000000", "pes E0 Some(90000)"]);
    assert_eq!(found.payload, [7]);
}

#[test]
fn a_length_of_zero_is_a_fault_but_read_to_the_next_start_code() {
    let payload = [0, 0, 1, 0x65, 9, 0, 0, 0, 1, 0x41, 0, 0, 3, 5, 0];
    let stream = [&PACK[..], &pes_without_length(0xE0, &payload), &PACK].concat();
    let found = demux(&[&stream]);
    assert_eq!(found.payload, payload);
    assert_eq!(
        found.events,
        [
            "pack 27000000",
            "pes E0 Some(90000)",
            "fault PesLengthZero",
            "pack 27000000"
        ]
    );
    let audio = demux(&[&PACK, &pes_without_length(0xC0, &[1]), &PACK]);
    assert_eq!(
        audio.events,
        ["pack 27000000", "fault PesLengthZero", "pack 27000000"]
    );
}

#[test]
fn what_a_packet_without_length_holds_back_comes_with_the_flush() {
    let (mut demuxer, mut found) = (Demuxer::new(), Found::default());
    feed(&mut demuxer, &mut found, &PACK);
    feed(
        &mut demuxer,
        &mut found,
        &pes_without_length(0xE0, &[8, 0, 0]),
    );
    assert_eq!(
        (found.payload.as_slice(), demuxer.position()),
        (&[8][..], Position::Unbounded)
    );
    demuxer.flush(&mut |event| assert_eq!(event, PsEvent::Data(&[0, 0])));
    assert_eq!(demuxer.position(), Position::Boundary);
}

#[test]
fn after_a_loss_it_goes_on_at_the_next_pack_header() {
    let (mut demuxer, mut found) = (Demuxer::new(), Found::default());
    feed(
        &mut demuxer,
        &mut found,
        &[&PACK[..], &pes(0xE0, &[1; 50])[..30]].concat(),
    );
    demuxer.lost();
    feed(&mut demuxer, &mut found, &[1, 0, 0, 1, 0xE0, 5, 5, 0, 0]);
    feed(
        &mut demuxer,
        &mut found,
        &[&[0, 0][..], &PACK, &pes(0xE0, &[2])].concat(),
    );
    assert_eq!(found.payload, [&[1; 16][..], &[2]].concat());
    assert_eq!(
        found
            .events
            .iter()
            .filter(|event| event.starts_with("fault"))
            .count(),
        0
    );
}

#[test]
fn a_pack_inside_what_looked_like_a_header_is_found() {
    // A PES header is cut short by the next pack.
    let stream = [
        &PACK[..],
        &[0, 0, 1, 0xE0, 0, 90, 0x0F, 0x80],
        &PACK,
        &pes(0xE0, &[4]),
    ]
    .concat();
    let found = demux(&[&stream]);
    assert_eq!(
        found.events,
        [
            "pack 27000000",
            "fault PesHeader",
            "pack 27000000",
            "pes E0 Some(90000)"
        ]
    );
    assert_eq!(found.payload, [4]);
}

#[test]
fn faults_are_named_and_the_next_pack_is_read() {
    let case = |octets: &[u8]| {
        let events = demux(&[&PACK, &MAP, octets, &PACK]).events;
        assert_eq!(events.last().map(String::as_str), Some("pack 27000000"));
        events[2..events.len() - 1].join(", ")
    };
    assert_eq!(case(&[1, 2, 3, 4, 5]), "fault NoStartCode");
    assert_eq!(case(&[0, 0, 1, 0x65, 5]), "fault NoStartCode");
    assert_eq!(
        case(&[0, 0, 1, 0xBA, 0x21, 0, 1, 0, 1, 0x80, 0, 1]),
        "fault PackHeader"
    );
    assert_eq!(case(&pes(0xC0, &[1, 2])), "fault UnlistedStream");
    assert_eq!(case(&[0, 0, 1, 0xE0, 0, 2, 0x80, 0x80]), "fault PesHeader");
    assert_eq!(
        case(&[0, 0, 1, 0xE0, 0, 5, 0x80, 0x80, 5, 0x21, 0]),
        "fault PesHeader"
    );
    let huge = [&[0, 0, 1, 0xBC, 0x10, 0][..], &[0; 0x1000]].concat();
    assert_eq!(case(&huge), "fault MapSyntax");
    assert_eq!(
        case(&SYSTEM_HEADER),
        "fault SystemHeaderMisplaced, system header"
    );
}

#[test]
fn what_is_no_program_stream_at_all_is_one_fault() {
    let found = demux(&[&[0x47; 188], &[0x47; 188]]);
    assert_eq!(found.events, ["fault NoStartCode"]);
}

/// Pieces of program streams, right and wrong, and noise.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(PACK.to_vec()),
        Just(SYSTEM_HEADER.to_vec()),
        Just(MAP.to_vec()),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|payload| pes(0xE0, &payload)),
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xBA)], 0..20)
            .prop_map(|payload| pes_without_length(0xE0, &payload)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|payload| pes(0xC0, &payload)),
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), 0xB9..=0xFFu8], 0..30),
    ]
}

proptest! {
    /// How the stream is cut into pieces makes no difference, whatever it is.
    #[test]
    fn cuts_do_not_matter(parts in prop::collection::vec(pieces(), 0..20), sizes in prop::collection::vec(1usize..40, 1..6)) {
        let stream = parts.concat();
        let (mut demuxer, mut found) = (Demuxer::new(), Found::default());
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            let (piece, later) = rest.split_at((*size).min(rest.len()));
            feed(&mut demuxer, &mut found, piece);
            prop_assert!(demuxer.header.len() <= 6 + HEADER_MAX);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, demux(&[&stream]));
    }

    /// Payload comes out as it went in, in packets of any sizes.
    #[test]
    fn payload_is_unchanged(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..8)) {
        let mut stream = [&PACK[..], &MAP].concat();
        for payload in &payloads {
            stream.extend(pes(0xE0, payload));
        }
        prop_assert_eq!(demux(&[&stream]).payload, payloads.concat());
    }
}
