//! A Dahua DH-SD-6C3230UE-HN (`SIP UAS V3.0.0.675168`), captured in May 2024: indented XML.

use super::{assert_octets, channel, style};
use crate::gb28181::ManscdpStyle;
use crate::gb28181::manscdp::{
    AlarmInput, CatalogPart, DeviceInfo, DeviceStatus, Duty, Incoming, Keepalive, Root,
};
use crate::gb28181::time;

const DEVICE: &str = "34020000001320000002";

fn dahua() -> ManscdpStyle {
    style(
        r#"
        items-per-message = "one"
        keepalive = ["Status={status}"]
        catalog-item = [
            "DeviceID={id}",
            "Name={name}",
            "Manufacturer={manufacturer}",
            "Model={model}",
            "Owner=0",
            "CivilCode={civil-code}",
            "Address=axy",
            "Parental={parental}",
            "ParentID={parent-id}",
            "RegisterWay={register-way}",
            "Secrecy={secrecy}",
            "StreamNum=2",
            "Status={status}",
            "Info/PTZType=3",
            "Info/DownloadSpeed=1/2/4/8",
        ]
        device-info = [
            "DeviceName={name}",
            "Result=OK",
            "DeviceType={device-type}",
            "Manufacturer={manufacturer}",
            "Model={model}",
            "Firmware={firmware}",
            "MaxCamera={max-camera}",
            "MaxAlarm={max-alarm}",
            "Channel={channels}",
            "Port=80",
            "LoginName=admin",
            "Password=******",
        ]
        device-status = [
            "Result=OK",
            "Online={online}",
            "Status={status}",
            "DeviceTime={time}",
            "Encode={encode}",
            "Record={record}",
            "Alarmstatus@Num={alarm.count}",
            "Alarmstatus/Item[alarm]/DeviceID={alarm.id}",
            "Alarmstatus/Item[alarm]/DutyStatus={alarm.duty}",
        ]

        [xml]
        prolog = '<?xml version="1.0" encoding="GB2312" ?>'
        layout = "indented"
        "#,
    )
}

#[test]
fn its_keepalive() {
    assert_octets(
        &dahua().keepalive(539, DEVICE, &Keepalive::default()),
        r#"<?xml version="1.0" encoding="GB2312" ?>
<Notify>
    <CmdType>Keepalive</CmdType>
    <SN>539</SN>
    <DeviceID>34020000001320000002</DeviceID>
    <Status>OK</Status>
</Notify>
"#,
        180,
    );
}

#[test]
fn its_catalogue() {
    let bodies = dahua().catalog(7, DEVICE, &[channel()]);
    assert_eq!(bodies.len(), 1);
    assert_octets(
        &bodies[0],
        r#"<?xml version="1.0" encoding="GB2312" ?>
<Response>
    <CmdType>Catalog</CmdType>
    <SN>7</SN>
    <DeviceID>34020000001320000002</DeviceID>
    <SumNum>1</SumNum>
    <DeviceList Num="1">
        <Item>
            <DeviceID>34020000001310000001</DeviceID>
            <Name>DH71</Name>
            <Manufacturer>Dahua</Manufacturer>
            <Model>DH-SD-6C3230UE-HN</Model>
            <Owner>0</Owner>
            <CivilCode>340200</CivilCode>
            <Address>axy</Address>
            <Parental>0</Parental>
            <ParentID>34020000001320000002</ParentID>
            <RegisterWay>1</RegisterWay>
            <Secrecy>0</Secrecy>
            <StreamNum>2</StreamNum>
            <Status>ON</Status>
            <Info>
                <PTZType>3</PTZType>
                <DownloadSpeed>1/2/4/8</DownloadSpeed>
            </Info>
        </Item>
    </DeviceList>
</Response>
"#,
        898,
    );
    let part = CatalogPart::read(&Incoming::parse(&bodies[0]).unwrap());
    assert_eq!((part.sum, part.items[0].name.as_str()), (1, "DH71"));
}

#[test]
fn its_device_info() {
    let info = DeviceInfo {
        name: "DH-SD-6C3230UE-HN".into(),
        device_type: Some("SD".into()),
        manufacturer: "Dahua".into(),
        model: "DH-SD-6C3230UE-HN".into(),
        firmware: "2.623.0000000.17.R,2019-01-19".into(),
        channels: Some(1),
        max_camera: Some(1),
        max_alarm: Some(2),
    };
    let body = dahua().device_info(9, DEVICE, &info);
    assert_octets(
        &body,
        r#"<?xml version="1.0" encoding="GB2312" ?>
<Response>
    <CmdType>DeviceInfo</CmdType>
    <SN>9</SN>
    <DeviceID>34020000001320000002</DeviceID>
    <DeviceName>DH-SD-6C3230UE-HN</DeviceName>
    <Result>OK</Result>
    <DeviceType>SD</DeviceType>
    <Manufacturer>Dahua</Manufacturer>
    <Model>DH-SD-6C3230UE-HN</Model>
    <Firmware>2.623.0000000.17.R,2019-01-19</Firmware>
    <MaxCamera>1</MaxCamera>
    <MaxAlarm>2</MaxAlarm>
    <Channel>1</Channel>
    <Port>80</Port>
    <LoginName>admin</LoginName>
    <Password>******</Password>
</Response>
"#,
        559,
    );
    assert_eq!(DeviceInfo::read(&Incoming::parse(&body).unwrap()), info);
}

#[test]
fn its_device_status() {
    let alarm = |id: &str| AlarmInput {
        id: id.into(),
        duty: Duty::OnDuty,
    };
    let status = DeviceStatus {
        time: time::parse("2024-05-17T14:24:54"),
        alarms: vec![alarm("34020000001340000001"), alarm("34020000001340000002")],
        ..DeviceStatus::default()
    };
    let body = dahua().device_status(10, DEVICE, &status);
    assert_octets(
        &body,
        r#"<?xml version="1.0" encoding="GB2312" ?>
<Response>
    <CmdType>DeviceStatus</CmdType>
    <SN>10</SN>
    <DeviceID>34020000001320000002</DeviceID>
    <Result>OK</Result>
    <Online>ONLINE</Online>
    <Status>OK</Status>
    <DeviceTime>2024-05-17T14:24:54</DeviceTime>
    <Encode>ON</Encode>
    <Record>OFF</Record>
    <Alarmstatus Num="2">
        <Item>
            <DeviceID>34020000001340000001</DeviceID>
            <DutyStatus>ONDUTY</DutyStatus>
        </Item>
        <Item>
            <DeviceID>34020000001340000002</DeviceID>
            <DutyStatus>ONDUTY</DutyStatus>
        </Item>
    </Alarmstatus>
</Response>
"#,
        639,
    );
    let read = Incoming::parse(&body).unwrap();
    assert!(read.is(Root::Response, "DeviceStatus"));
    assert_eq!(DeviceStatus::read(&read), status);
}
