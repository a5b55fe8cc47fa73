//! A Hikvision: a line per tag without indentation, an `Info` with nothing but a line break.

use super::{assert_text, channel, style};
use crate::gb28181::ManscdpStyle;
use crate::gb28181::manscdp::{BasicParam, Incoming, Keepalive};

const DEVICE: &str = "34020000001110000001";

fn hikvision() -> ManscdpStyle {
    style(
        r#"
        keepalive = ["Status={status}", "Info=\n"]
        catalog-item = [
            "DeviceID={id}",
            "Name={name|}",
            "Owner=Owner",
            "Parental={parental}",
            "SafetyWay=0",
            "Status={status}",
        ]
        basic-param = [
            "Result=OK",
            "BasicParam/Name={name}",
            "BasicParam/DeviceID={device-id}",
            "BasicParam/SIPServerID={server-id}",
            "BasicParam/SIPServerIP={server-ip}",
            "BasicParam/SIPServerPort={server-port}",
            "BasicParam/DomainName={domain}",
            "BasicParam/Expiration={expiration}",
            "BasicParam/Password=",
            "BasicParam/HeartBeatInterval={heart-beat-interval}",
            "BasicParam/HeartBeatCount={heart-beat-count}",
        ]

        [xml]
        prolog = '<?xml version="1.0" encoding="gb2312"?>'
        layout = "flat"
        "#,
    )
}

#[test]
fn its_keepalive_has_an_info_with_a_line_break() {
    let body = hikvision().keepalive(6, DEVICE, &Keepalive::default());
    assert_text(
        &body,
        "<?xml version=\"1.0\" encoding=\"gb2312\"?>\n<Notify>\n<CmdType>Keepalive</CmdType>\n\
         <SN>6</SN>\n<DeviceID>34020000001110000001</DeviceID>\n<Status>OK</Status>\n\
         <Info>\n</Info>\n</Notify>\n",
    );
    let read = Incoming::parse(&body).unwrap();
    assert_eq!(
        (read.body.text_of("Status"), read.body.text_of("Info")),
        (Some("OK"), None)
    );
}

#[test]
fn its_catalogue_is_flat_and_has_several_items_in_a_message() {
    let mut alarm = channel();
    alarm.id = "34020000001340000001".into();
    alarm.name = String::new();
    let bodies = hikvision().catalog(7, DEVICE, &[channel(), alarm]);
    assert_eq!(bodies.len(), 1);
    assert_text(
        &bodies[0],
        "<?xml version=\"1.0\" encoding=\"gb2312\"?>\n<Response>\n<CmdType>Catalog</CmdType>\n\
         <SN>7</SN>\n<DeviceID>34020000001110000001</DeviceID>\n<SumNum>2</SumNum>\n\
         <DeviceList Num=\"2\">\n<Item>\n<DeviceID>34020000001310000001</DeviceID>\n\
         <Name>DH71</Name>\n<Owner>Owner</Owner>\n<Parental>0</Parental>\n\
         <SafetyWay>0</SafetyWay>\n<Status>ON</Status>\n</Item>\n<Item>\n\
         <DeviceID>34020000001340000001</DeviceID>\n<Name></Name>\n<Owner>Owner</Owner>\n\
         <Parental>0</Parental>\n<SafetyWay>0</SafetyWay>\n<Status>ON</Status>\n</Item>\n\
         </DeviceList>\n</Response>\n",
    );
}

#[test]
fn its_basic_parameters_name_the_platform() {
    let basic = BasicParam {
        name: "NVR".into(),
        device_id: DEVICE.into(),
        expiration: 3600,
        heart_beat_interval: 60,
        heart_beat_count: 3,
        server_id: Some("34020000002000000010".into()),
        server_ip: Some("192.168.6.106".into()),
        server_port: Some(5062),
        domain: Some("3402000000".into()),
        ..BasicParam::default()
    };
    let bodies = hikvision().config_download(3, DEVICE, "BasicParam", &basic, |_| None);
    assert_eq!(bodies.len(), 1);
    let text = String::from_utf8_lossy(&bodies[0]).into_owned();
    assert!(
        text.contains("<SIPServerPort>5062</SIPServerPort>\n<DomainName>"),
        "{text}"
    );
    assert!(
        text.contains("<Password></Password>\n<HeartBeatInterval>60<"),
        "{text}"
    );
    assert_eq!(
        BasicParam::read(&Incoming::parse(&bodies[0]).unwrap()),
        Some(basic)
    );
}
