//! What may stand in each block of a configuration (GB/T 28181-2022 annex A.2.1).
//!
//! A block that passes is kept in the standard's order, without elements that are not known.

use super::config_type::ConfigType;
use crate::gb28181::element::Element;

/// Why a block is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An element that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element stands there more often than it may.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// A value is out of its range, or no such value at all.
    #[error("{0}: no such value")]
    Value(&'static str),
    /// A number of things is not the number of things that are there.
    #[error("{0} is not how many there are")]
    Count(&'static str),
    /// It can only be read.
    #[error("{0} cannot be written")]
    ReadOnly(ConfigType),
    /// The device has no such thing.
    #[error("{0} is not known here")]
    Unknown(ConfigType),
}

/// One element of a block.
struct Field {
    name: &'static str,
    need: bool,
    /// How often it may stand there.
    most: usize,
    rule: Rule,
}

enum Rule {
    /// A whole number between these two.
    Number(u32, u32),
    /// At most so many characters.
    Text(usize),
    /// How many elements of this name follow.
    Count(&'static str),
    /// `left,top,right,bottom`.
    Corners,
    /// Elements.
    Fields(&'static [Field]),
    /// Elements whose number stands in the attribute `Num`.
    List(&'static [Field]),
}

const fn must(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        need: true,
        most: 1,
        rule,
    }
}

const fn may(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        need: false,
        most: 1,
        rule,
    }
}

const fn many(name: &'static str, most: usize, rule: Rule) -> Field {
    Field {
        name,
        need: false,
        most,
        rule,
    }
}

const FLAG: Rule = Rule::Number(0, 1);
const PIXELS: Rule = Rule::Number(0, 65_535);

const fn rule(kind: ConfigType) -> Rule {
    match kind {
        ConfigType::BasicParam | ConfigType::VideoParamOpt => Rule::Fields(VIDEO_PARAM_OPT),
        ConfigType::SvacEncodeConfig => Rule::Fields(SVAC_ENCODE),
        ConfigType::SvacDecodeConfig => Rule::Fields(SVAC_DECODE),
        ConfigType::VideoParamAttribute => Rule::List(VIDEO_PARAM_ATTRIBUTE),
        ConfigType::VideoRecordPlan => Rule::Fields(VIDEO_RECORD_PLAN),
        ConfigType::VideoAlarmRecord => Rule::Fields(VIDEO_ALARM_RECORD),
        ConfigType::PictureMask => Rule::Fields(PICTURE_MASK),
        ConfigType::FrameMirror => Rule::Number(0, 3),
        ConfigType::AlarmReport => Rule::Fields(ALARM_REPORT),
        ConfigType::OsdConfig => Rule::Fields(OSD),
        ConfigType::SnapShotConfig => Rule::Fields(SNAP_SHOT),
    }
}

const VIDEO_PARAM_OPT: &[Field] = &[
    may("DownloadSpeed", Rule::Text(64)),
    may("Resolution", Rule::Text(64)),
];

const SVAC_ENCODE: &[Field] = &[
    may(
        "ROIParam",
        Rule::Fields(&[
            must("ROIFlag", FLAG),
            may("ROINumber", Rule::Count("Item")),
            many(
                "Item",
                16,
                Rule::Fields(&[
                    must("ROISeq", Rule::Number(1, 16)),
                    must("TopLeft", Rule::Number(0, u32::MAX)),
                    must("BottomRight", Rule::Number(0, u32::MAX)),
                    must("ROIQP", Rule::Number(0, 3)),
                ]),
            ),
            may("BackGroundQP", Rule::Number(0, 3)),
            may("BackGroundSkipFlag", FLAG),
        ]),
    ),
    may(
        "SVCParam",
        Rule::Fields(&[
            may("SVCFlag", FLAG),
            may("SVCSTMMode", Rule::Number(0, 3)),
            may("SVCSpaceDomainMode", Rule::Number(0, 3)),
            may("SVCTimeDomainMode", Rule::Number(0, 3)),
            may("SSVCRatioValue", Rule::Text(16)),
        ]),
    ),
    may(
        "SurveillanceParam",
        Rule::Fields(&[
            may("TimeFlag", FLAG),
            may("EventFlag", FLAG),
            may("AlertFlag", FLAG),
            may("OSDFlag", FLAG),
            may("AIFlag", FLAG),
            may("GISFlag", FLAG),
        ]),
    ),
    may(
        "AudioParam",
        Rule::Fields(&[may("AudioRecognitionFlag", FLAG)]),
    ),
];

const SVAC_DECODE: &[Field] = &[
    may(
        "SVCParam",
        Rule::Fields(&[may("SVCSTMMode", Rule::Number(0, 3))]),
    ),
    may(
        "SurveillanceParam",
        Rule::Fields(&[
            may("TimeShowFlag", FLAG),
            may("EventShowFlag", FLAG),
            may("AlerShowtFlag", FLAG),
            may("OSDShowFlag", FLAG),
            may("AIShowFlag", FLAG),
            may("GISShowFlag", FLAG),
        ]),
    ),
];

const VIDEO_PARAM_ATTRIBUTE: &[Field] = &[many(
    "Item",
    8,
    Rule::Fields(&[
        must("StreamNumber", Rule::Number(0, 7)),
        may("VideoFormat", Rule::Number(1, 5)),
        may("Resolution", Rule::Text(11)),
        may("FrameRate", Rule::Number(0, 99)),
        may("BitRateType", Rule::Number(1, 2)),
        may("VideoBitRate", Rule::Number(0, 100_000)),
    ]),
)];

const VIDEO_RECORD_PLAN: &[Field] = &[
    must("RecordEnable", FLAG),
    may("RecordScheduleSumNum", Rule::Count("RecordSchedule")),
    many(
        "RecordSchedule",
        7,
        Rule::Fields(&[
            must("WeekDayNum", Rule::Number(1, 7)),
            may("TimeSegmentSumNum", Rule::Count("TimeSegment")),
            many(
                "TimeSegment",
                8,
                Rule::Fields(&[
                    must("StartHour", Rule::Number(0, 23)),
                    must("StartMin", Rule::Number(0, 59)),
                    must("StartSec", Rule::Number(0, 59)),
                    must("StopHour", Rule::Number(0, 23)),
                    must("StopMin", Rule::Number(0, 59)),
                    must("StopSec", Rule::Number(0, 59)),
                ]),
            ),
        ]),
    ),
    may("StreamNumber", Rule::Number(0, 7)),
];

const VIDEO_ALARM_RECORD: &[Field] = &[
    must("RecordEnable", FLAG),
    may("RecordTime", Rule::Number(0, 86_400)),
    may("PreRecordTime", Rule::Number(0, 86_400)),
    may("StreamNumber", Rule::Number(0, 7)),
];

const PICTURE_MASK: &[Field] = &[
    must("On", FLAG),
    may("SumNum", Rule::Number(0, 4)),
    may(
        "RegionList",
        Rule::List(&[many(
            "Item",
            4,
            Rule::Fields(&[
                must("Seq", Rule::Number(1, 4)),
                must("Point", Rule::Corners),
            ]),
        )]),
    ),
];

const ALARM_REPORT: &[Field] = &[must("MotionDetection", FLAG), must("FieldDetection", FLAG)];

const OSD: &[Field] = &[
    must("Length", PIXELS),
    must("Width", PIXELS),
    must("TimeX", PIXELS),
    must("TimeY", PIXELS),
    may("TimeEnable", FLAG),
    may("TimeType", FLAG),
    may("TextEnable", FLAG),
    may("SumNum", Rule::Count("Item")),
    many(
        "Item",
        8,
        Rule::Fields(&[
            must("Text", Rule::Text(32)),
            must("X", PIXELS),
            must("Y", PIXELS),
        ]),
    ),
];

const SNAP_SHOT: &[Field] = &[
    must("SnapNum", Rule::Number(1, 10)),
    may("Interval", Rule::Number(1, 3600)),
    may("UploadURL", Rule::Text(1024)),
    may("SessionID", Rule::Text(128)),
];

/// The block as it is kept, or what is wrong with it.
pub(super) fn checked(kind: ConfigType, block: &Element) -> Result<Element, ConfigError> {
    kept(kind.as_str(), &rule(kind), block, block)
}

/// `among` is the element that `given` stands in.
fn kept(
    name: &'static str,
    rule: &Rule,
    given: &Element,
    among: &Element,
) -> Result<Element, ConfigError> {
    let text = given.text.as_str();
    let text = match rule {
        Rule::Fields(fields) => return elements(name, fields, given),
        Rule::List(fields) => return list(name, fields, given),
        Rule::Number(least, most) => whole(text)
            .filter(|number| (*least..=*most).contains(number))
            .map(|number| number.to_string())
            .ok_or(ConfigError::Value(name))?,
        Rule::Text(most) => match text.chars().count() <= *most {
            true => text.to_owned(),
            false => return Err(ConfigError::Value(name)),
        },
        Rule::Count(of) => {
            let there = among.children_named(of).count();
            match whole(text).ok_or(ConfigError::Value(name))? as usize == there {
                true => there.to_string(),
                false => return Err(ConfigError::Count(name)),
            }
        }
        Rule::Corners => corners(text).ok_or(ConfigError::Value(name))?,
    };
    Ok(Element::leaf(name, text))
}

fn elements(name: &'static str, fields: &[Field], given: &Element) -> Result<Element, ConfigError> {
    let mut block = Element::new(name);
    for field in fields {
        let mut found = given.children_named(field.name).peekable();
        if field.need && found.peek().is_none() {
            return Err(ConfigError::Missing(field.name));
        }
        for (count, child) in found.enumerate() {
            if count >= field.most {
                return Err(ConfigError::TooMany(field.name));
            }
            let child = kept(field.name, &field.rule, child, given)?;
            block.children.push(child);
        }
    }
    Ok(block)
}

fn list(name: &'static str, fields: &[Field], given: &Element) -> Result<Element, ConfigError> {
    let mut block = elements(name, fields, given)?;
    let there = block.children.len();
    if let Some(said) = given.attribute("Num")
        && whole(said).map(|said| said as usize) != Some(there)
    {
        return Err(ConfigError::Count(name));
    }
    block.attributes = vec![("Num".to_owned(), there.to_string())];
    Ok(block)
}

fn whole(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// Two corners of a part of the picture; the second lies right of and below the first.
fn corners(text: &str) -> Option<String> {
    let numbers: Vec<u32> = text.split(',').map(whole).collect::<Option<_>>()?;
    let [left, top, right, bottom] = numbers.try_into().ok()?;
    (left <= right && top <= bottom).then(|| format!("{left},{top},{right},{bottom}"))
}
