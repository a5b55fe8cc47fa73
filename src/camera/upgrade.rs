//! DeviceUpgrade: firmware is fetched, the device starts again, and tells how it went
//! (GB/T 28181-2022 §9.13).

use std::time::Duration;

use crate::gb28181::manscdp::{DeviceUpgrade, UpgradeFailure, UpgradeResult};
use crate::node::{HttpMethod, Job, JobFailure, JobId, JobOutcome};

use super::event::Event;
use super::line::Line;

/// How long a download may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest package that is taken, in octets.
const LARGEST: u64 = 1 << 30;

/// An upgrade whose firmware is on its way.
pub(super) struct Upgrade {
    pub job: JobId,
    /// Whom the order named.
    device_id: String,
    order: DeviceUpgrade,
}

impl Upgrade {
    /// Has the firmware fetched.
    pub fn begin(line: &mut Line, job: JobId, device_id: &str, order: DeviceUpgrade) -> Upgrade {
        line.job(
            job,
            Job {
                method: HttpMethod::Get,
                url: order.file_url.clone(),
                body: None,
                limit: LARGEST,
                patience: PATIENCE,
            },
        );
        Upgrade {
            job,
            device_id: device_id.to_owned(),
            order,
        }
    }

    /// The firmware is there, or is not: what there is to tell, and what the device runs then.
    pub fn fetched(
        self,
        line: &mut Line,
        runs: &str,
        outcome: JobOutcome,
    ) -> (bytes::Bytes, Option<String>) {
        let failure = judged(&outcome);
        if let Err(why) = &outcome {
            tracing::debug!(%why, url = self.order.file_url, "no firmware");
        }
        let result = UpgradeResult {
            session_id: self.order.session_id,
            firmware: match failure {
                None => self.order.firmware.clone(),
                Some(_) => runs.to_owned(),
            },
            failure,
        };
        let sn = line.next_sn();
        let style = &line.config.profile.manscdp;
        let body = style.upgrade_result(sn, &self.device_id, &result);
        line.tell(Event::Upgraded(result));
        (body, failure.is_none().then_some(self.order.firmware))
    }
}

/// What a download says about the upgrade. Any file is good firmware, unless it is empty.
fn judged(outcome: &JobOutcome) -> Option<UpgradeFailure> {
    match outcome {
        Ok(fetched) if !(200..300).contains(&fetched.status) => Some(UpgradeFailure::Other),
        Ok(fetched) if fetched.octets == 0 => Some(UpgradeFailure::BrokenPackage),
        Ok(_) => None,
        Err(JobFailure::Timeout) => Some(UpgradeFailure::DownloadTimeout),
        Err(JobFailure::Broken(_) | JobFailure::TooLarge) => Some(UpgradeFailure::BrokenPackage),
        Err(JobFailure::Url | JobFailure::Unreachable(_)) => Some(UpgradeFailure::Other),
    }
}
