//! A newer Dahua recorder: one line of XML, one item per message, items with its address.

use super::{assert_octets, assert_text, channel, style};
use crate::gb28181::ManscdpStyle;
use crate::gb28181::manscdp::{CatalogItem, Keepalive, Outcome};

const DEVICE: &str = "34020000001180000001";

fn recorder() -> ManscdpStyle {
    style(
        r#"
        items-per-message = "one"
        keepalive = ["Status={status}"]
        catalog-item = [
            "DeviceID={id}",
            "Name={name}",
            "Manufacturer=General",
            "Owner=0",
            "CivilCode={civil-code}",
            "Address=axy",
            "Parental={parental}",
            "ParentID={parent-id}",
            "StreamNum=2",
            "IPAddress={ip-address}",
            "Port={port|80}",
            "Password=",
            "Status={status}",
            "Info/PTZType={ptz-type|3}",
            "Info/DownloadSpeed=1/2/4/8",
        ]

        [xml]
        prolog = '<?xml version="1.0" encoding="GB2312" standalone="yes" ?>'
        layout = "one-line"
        "#,
    )
}

#[test]
fn its_keepalive_and_its_results_are_one_line() {
    assert_text(
        &recorder().keepalive(8, DEVICE, &Keepalive::default()),
        "<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?><Notify>\
         <CmdType>Keepalive</CmdType><SN>8</SN><DeviceID>34020000001180000001</DeviceID>\
         <Status>OK</Status></Notify>",
    );
    assert_octets(
        &recorder().result("Broadcast", 17430, "34020000001370000001", Outcome::Ok),
        "<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?><Response>\
         <CmdType>Broadcast</CmdType><SN>17430</SN><DeviceID>34020000001370000001</DeviceID>\
         <Result>OK</Result></Response>",
        180,
    );
}

#[test]
fn its_catalogue_has_an_empty_password_and_one_channel_per_message() {
    let first = CatalogItem {
        name: "大门".into(),
        ip_address: Some("10.0.0.7".into()),
        parent_id: DEVICE.into(),
        ..channel()
    };
    let second = CatalogItem {
        id: "34020000001310000002".into(),
        online: false,
        ..first.clone()
    };
    let bodies = recorder().catalog(7, DEVICE, &[first, second]);
    assert_eq!(bodies.len(), 2);
    let expected: &[u8] = b"<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?>\
        <Response><CmdType>Catalog</CmdType><SN>7</SN><DeviceID>34020000001180000001</DeviceID>\
        <SumNum>2</SumNum><DeviceList Num=\"1\"><Item><DeviceID>34020000001310000001</DeviceID>\
        <Name>\xB4\xF3\xC3\xC5</Name><Manufacturer>General</Manufacturer><Owner>0</Owner>\
        <CivilCode>340200</CivilCode><Address>axy</Address><Parental>0</Parental>\
        <ParentID>34020000001180000001</ParentID><StreamNum>2</StreamNum>\
        <IPAddress>10.0.0.7</IPAddress><Port>80</Port><Password></Password><Status>ON</Status>\
        <Info><PTZType>3</PTZType><DownloadSpeed>1/2/4/8</DownloadSpeed></Info></Item>\
        </DeviceList></Response>";
    assert_eq!(bodies[0], expected);
    assert!(String::from_utf8_lossy(&bodies[1]).contains("<Status>OFF</Status>"));
}
