//! How a channel is configured when nobody has configured it: what it shows, and the features
//! that are off.

use crate::gb28181::Element;
use crate::gb28181::manscdp::ConfigType;
use crate::media::Clip;

use super::config::Channel;

/// The block of a type; `None` for basic parameters, which are the device's.
pub(super) fn block(channel: &Channel, kind: ConfigType) -> Option<Element> {
    let clip = channel.source.clip();
    let off = |fields: &[(&str, &str)]| {
        let block = Element::new(kind.as_str());
        let leaves = fields
            .iter()
            .map(|(name, text)| Element::leaf(*name, *text));
        Some(leaves.fold(block, Element::with))
    };
    match kind {
        ConfigType::BasicParam => None,
        ConfigType::VideoParamOpt => {
            let sizes = resolutions(channel);
            off(&[("DownloadSpeed", "1/2/4"), ("Resolution", sizes.as_str())])
        }
        ConfigType::SvacEncodeConfig => Some(svac_encode()),
        ConfigType::SvacDecodeConfig => Some(svac_decode()),
        ConfigType::VideoParamAttribute => Some(streams(channel)),
        ConfigType::VideoRecordPlan => off(&[
            ("RecordEnable", "0"),
            ("RecordScheduleSumNum", "0"),
            ("StreamNumber", "0"),
        ]),
        ConfigType::VideoAlarmRecord => off(&[("RecordEnable", "0"), ("StreamNumber", "0")]),
        ConfigType::PictureMask => {
            let mut regions = Element::new("RegionList");
            regions.attributes = vec![("Num".to_owned(), "0".to_owned())];
            Some(off(&[("On", "0"), ("SumNum", "0")])?.with(regions))
        }
        ConfigType::FrameMirror => Some(Element::leaf(kind.as_str(), "0")),
        ConfigType::AlarmReport => off(&[("MotionDetection", "1"), ("FieldDetection", "1")]),
        ConfigType::OsdConfig => {
            let (width, height) = (clip.width().to_string(), clip.height().to_string());
            off(&[
                ("Length", width.as_str()),
                ("Width", height.as_str()),
                ("TimeX", "0"),
                ("TimeY", "0"),
                ("TimeEnable", "0"),
                ("TimeType", "0"),
                ("TextEnable", "0"),
                ("SumNum", "0"),
            ])
        }
        ConfigType::SnapShotConfig => off(&[("SnapNum", "1"), ("Interval", "1")]),
    }
}

/// Nothing that only SVAC has is on.
fn svac_encode() -> Element {
    let group = |name: &str, flags: &[&str]| {
        let flags = flags.iter().map(|flag| Element::leaf(*flag, "0"));
        flags.fold(Element::new(name), Element::with)
    };
    Element::new("SVACEncodeConfig")
        .with(group("ROIParam", &["ROIFlag", "ROINumber"]))
        .with(group(
            "SVCParam",
            &["SVCSpaceDomainMode", "SVCTimeDomainMode"],
        ))
        .with(group(
            "SurveillanceParam",
            &["TimeFlag", "OSDFlag", "AIFlag", "GISFlag"],
        ))
        .with(group("AudioParam", &["AudioRecognitionFlag"]))
}

fn svac_decode() -> Element {
    let svc = Element::new("SVCParam").with(Element::leaf("SVCSTMMode", "0"));
    let flags = ["TimeShowFlag", "OSDShowFlag", "AIShowFlag", "GISShowFlag"];
    let flags = flags.iter().map(|flag| Element::leaf(*flag, "0"));
    let shown = flags.fold(Element::new("SurveillanceParam"), Element::with);
    Element::new("SVACDecodeConfig").with(svc).with(shown)
}

/// How the main stream and the sub stream are encoded, as their clips are.
fn streams(channel: &Channel) -> Element {
    let sub = channel.sub.as_ref();
    let shown = [Some(&channel.source), sub];
    let items = shown
        .into_iter()
        .flatten()
        .zip(0_u8..)
        .map(|(cut, number)| {
            let clip = cut.clip();
            let format = clip.codec().number();
            let leaf = |name, text: String| Element::leaf(name, text);
            Element::new("Item")
                .with(leaf("StreamNumber", number.to_string()))
                .with(leaf("VideoFormat", format.to_string()))
                .with(leaf("Resolution", resolution(clip)))
                .with(leaf("FrameRate", frame_rate(clip)))
                .with(leaf("BitRateType", "2".to_owned()))
                .with(leaf("VideoBitRate", kilobits(clip)))
        });
    let mut block = items.fold(Element::new("VideoParamAttribute"), Element::with);
    let number = block.children.len().to_string();
    block.attributes = vec![("Num".to_owned(), number)];
    block
}

fn resolutions(channel: &Channel) -> String {
    let mut sizes = vec![resolution(channel.source.clip())];
    if let Some(sub) = &channel.sub {
        sizes.push(resolution(sub.clip()));
    }
    sizes.join("/")
}

/// The number of a picture size in the f line of annex G, or the size itself.
fn resolution(clip: &Clip) -> String {
    let (width, height) = (clip.width(), clip.height());
    match (width, height) {
        (176, 144) => "1".to_owned(),
        (352, 288) => "2".to_owned(),
        (704, 576) => "3".to_owned(),
        (720, 576) => "4".to_owned(),
        (1280, 720) => "5".to_owned(),
        (1920, 1080) => "6".to_owned(),
        _ => format!("{width}x{height}"),
    }
}

fn frame_rate(clip: &Clip) -> String {
    let fps = clip.fps();
    let rounded = fps.as_f64().round().clamp(0.0, 99.0);
    format!("{rounded:.0}")
}

fn kilobits(clip: &Clip) -> String {
    (clip.bit_rate() / 1000).min(100_000).to_string()
}
