//! `[[modbus.buses]]`: meters and other devices that answer to Modbus.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ValueKind;

/// `[modbus]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Modbus {
    /// Each is read by itself; one that hangs delays no other. At most 16.
    pub buses: Vec<Bus>,
}

/// A line, or a gateway.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Its name, for the label `bus` and for errors.
    pub name: String,
    /// `IP:PORT` of a device or a gateway (Modbus TCP).
    #[serde(default)]
    pub address: Option<std::net::SocketAddr>,
    /// A serial port, such as `/dev/ttyUSB0` (Modbus RTU).
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// Bits a second of the port.
    #[serde(default = "usual_speed")]
    pub baud: u32,
    /// Parity of the port.
    #[serde(default)]
    pub parity: Parity,
    /// Stop bits of the port, 1 or 2.
    #[serde(default = "usual_stop_bits")]
    pub stop_bits: u8,
    /// Time for an answer. 50 ms to 30 s.
    #[serde(default = "usual_timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// The devices on it. At most 32.
    pub devices: Vec<Device>,
}

/// A device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its number on the bus. 1 to 247; of a TCP device also 0 or 255.
    pub unit: u8,
    /// Labels of all its values.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What is read of it. At most 100.
    pub registers: Vec<Register>,
}

/// A value.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Name of the metric.
    pub metric: String,
    /// How its value behaves.
    #[serde(default, rename = "type")]
    pub kind: ValueKind,
    /// Which of the four tables.
    #[serde(default)]
    pub table: Table,
    /// The address as it is sent, from 0: manuals that count from 40001 or 1 mean one less.
    pub address: u16,
    /// What the registers hold.
    #[serde(default)]
    pub encoding: Encoding,
    /// The order of the bytes of a value in several registers.
    #[serde(default)]
    pub order: Order,
    /// The content of an integer's registers that means no value, such as 0xFFFF.
    #[serde(default)]
    pub absent: Option<u64>,
    /// What the value is multiplied by, so that it is in the base unit.
    #[serde(default = "super::one")]
    pub scale: f64,
    /// What is added after that.
    #[serde(default)]
    pub offset: f64,
    /// Labels of this value.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// `parity`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// As the specification wants it.
    #[default]
    Even,
    /// Odd.
    Odd,
    /// None, as most meters have it.
    None,
}

/// `table`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Holding registers (function 3).
    #[default]
    Holding,
    /// Input registers (function 4).
    Input,
    /// Coils (function 1).
    Coil,
    /// Discrete inputs (function 2).
    Discrete,
}

/// `encoding`: signed and unsigned integers, and IEEE 754 numbers.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say what they are")]
pub enum Encoding {
    #[default]
    U16,
    I16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

/// `order`: where the bytes A (the most significant), B, C, D of a value of 32 bits are. Of 64 bits it holds in the same way.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As the specification has it.
    #[default]
    Abcd,
    /// The registers the other way round.
    Cdab,
    /// The bytes of each register the other way round.
    Badc,
    /// Both.
    Dcba,
}

const fn usual_speed() -> u32 {
    9600
}

const fn usual_stop_bits() -> u8 {
    1
}

const fn usual_timeout() -> Duration {
    Duration::from_secs(1)
}
