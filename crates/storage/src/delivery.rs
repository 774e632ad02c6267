//! How deliveries went.

use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::usage::Hour;

/// The attempts of one hour, by when they were over. An attempt with both secrets of a rotation is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryCount {
    /// Which hour.
    pub hour: Hour,
    /// Attempts that delivered a notification.
    pub delivered: u64,
    /// Attempts that didn't.
    pub failed: u64,
}

/// The attempts of several hours to deliver to one setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryTotal {
    /// Which setting.
    pub setting: NotificationSettingId,
    /// Attempts that delivered a notification.
    pub delivered: u64,
    /// Attempts that didn't.
    pub failed: u64,
}
