//! What the registers of a device mean (Modbus Application Protocol V1.1b3).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serial2_tokio::StopBits;
use thiserror::Error;

use crate::collectors::names::{self, NameError};
use crate::reading::{MAX_LABELS, Metric};
use crate::settings::modbus::{self, Device, Encoding, Modbus, Order, Parity, Register, Table};

/// Devices of a bus: what one driver of RS-485 can drive without a repeater.
const MAX_UNITS: usize = 32;
/// Values of a device.
const MAX_POINTS: usize = 100;

/// A value of a device.
#[derive(Debug)]
pub struct Point {
    /// The table it is in.
    pub table: Table,
    /// The address as it is sent.
    pub address: u16,
    /// How many registers it takes; 1 for a bit.
    pub count: u16,
    /// What it becomes.
    pub metric: &'static Metric,
    /// Its labels, those of the device included.
    pub labels: Vec<(&'static str, String)>,
    encoding: Encoding,
    order: Order,
    absent: Option<u64>,
    scale: f64,
    offset: f64,
}

/// A device and its values.
#[derive(Debug)]
pub struct Unit {
    /// Its number on the bus.
    pub number: u8,
    /// Its values.
    pub points: Vec<Point>,
}

/// A bus and its devices.
#[derive(Debug)]
pub struct Bus {
    /// Its name.
    pub name: String,
    /// What carries questions and answers.
    pub transport: Transport,
    /// Time for an answer.
    pub timeout: Duration,
    /// The devices on it.
    pub units: Vec<Unit>,
}

/// What carries the questions and answers of a bus.
#[derive(Debug)]
pub enum Transport {
    /// A connection to a device or a gateway (Modbus TCP).
    Tcp(SocketAddr),
    /// A serial line (Modbus RTU).
    Serial(Serial),
}

/// A serial line.
#[derive(Debug)]
pub struct Serial {
    /// The file of the port.
    pub port: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
}

/// Why a bus cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BusError {
    /// Neither, or both.
    #[error("address of TCP, or port of a serial line: one of both")]
    Transport,
    /// No serial port has as many.
    #[error("stop_bits {0}: 1 or 2")]
    StopBits(u8),
    /// Nothing to read.
    #[error("it has no devices, or one without registers")]
    Empty,
    /// More than a round has time for.
    #[error("more than {MAX_UNITS} devices, or than {MAX_POINTS} registers of a device")]
    TooMany,
    /// Not a number that a device can have.
    #[error("unit {0}: 0 or 255 of a device on TCP, 1 to 247, each once")]
    Unit(u8),
    /// A factor that makes every value the same, or none.
    #[error("register {0}: scale has to be a number other than 0, offset a number")]
    Scale(u16),
    /// It would go on beyond the last address.
    #[error("register {0}: its value ends beyond 65535")]
    End(u16),
    /// A bit has no encoding.
    #[error("register {0}: coils and discrete inputs are single bits, without encoding, order and absent")]
    Bit(u16),
    /// Neither a name of a metric nor of a label.
    #[error("register {0}: {1}")]
    Name(u16, #[source] NameError),
    /// Too many labels.
    #[error("register {0}: more than {MAX_LABELS} labels")]
    Labels(u16),
}

/// The buses with what is read of them.
///
/// # Errors
/// The first bus that cannot be read, with its number.
pub fn buses(settings: &Modbus) -> Result<Vec<Bus>, (usize, BusError)> {
    let bus = |(number, settings)| bus(settings).map_err(|error| (number, error));
    settings.buses.iter().enumerate().map(bus).collect()
}

fn bus(settings: &modbus::Bus) -> Result<Bus, BusError> {
    let transport = match (&settings.address, &settings.port) {
        (Some(address), None) => Transport::Tcp(*address),
        (None, Some(port)) => Transport::Serial(Serial {
            port: port.clone(),
            baud: settings.baud,
            parity: settings.parity,
            stop_bits: match settings.stop_bits {
                1 => StopBits::One,
                2 => StopBits::Two,
                other => return Err(BusError::StopBits(other)),
            },
        }),
        (None, None) | (Some(_), Some(_)) => return Err(BusError::Transport),
    };
    if settings.devices.is_empty() || settings.devices.iter().any(|device| device.registers.is_empty()) {
        return Err(BusError::Empty);
    }
    if settings.devices.len() > MAX_UNITS
        || settings
            .devices
            .iter()
            .any(|device| device.registers.len() > MAX_POINTS)
    {
        return Err(BusError::TooMany);
    }
    let mut units: Vec<Unit> = Vec::new();
    for device in &settings.devices {
        let number = device.unit;
        let is_possible = match transport {
            Transport::Tcp(_) => !(248..=254).contains(&number),
            // 0 is for all devices, which do not answer then.
            Transport::Serial(_) => (1..=247).contains(&number),
        };
        if !is_possible || units.iter().any(|other| other.number == number) {
            return Err(BusError::Unit(number));
        }
        let points = device.registers.iter().map(|register| point(device, register));
        let points = points.collect::<Result<_, _>>()?;
        units.push(Unit { number, points });
    }
    Ok(Bus {
        name: settings.name.clone(),
        transport,
        timeout: settings.timeout,
        units,
    })
}

fn point(device: &Device, register: &Register) -> Result<Point, BusError> {
    let address = register.address;
    let is_bit = matches!(register.table, Table::Coil | Table::Discrete);
    if is_bit && (register.encoding != Encoding::U16 || register.order != Order::Abcd || register.absent.is_some()) {
        return Err(BusError::Bit(address));
    }
    if !register.scale.is_normal() || !register.offset.is_finite() {
        return Err(BusError::Scale(address));
    }
    let count = match register.encoding {
        Encoding::U16 | Encoding::I16 => 1,
        Encoding::U32 | Encoding::I32 | Encoding::F32 => 2,
        Encoding::U64 | Encoding::I64 | Encoding::F64 => 4,
    };
    if address.checked_add(count - 1).is_none() {
        return Err(BusError::End(address));
    }
    if device.labels.len() + register.labels.len() > MAX_LABELS {
        return Err(BusError::Labels(address));
    }
    let named = |error| BusError::Name(address, error);
    let all = device
        .labels
        .iter()
        .filter(|(name, _)| !register.labels.contains_key(*name));
    let labels = all
        .chain(&register.labels)
        .map(|(name, value)| Ok((names::chosen_label(name)?, value.clone())))
        .collect::<Result<Vec<_>, NameError>>()
        .map_err(named)?;
    Ok(Point {
        table: register.table,
        address,
        count,
        metric: names::chosen_metric(&register.metric, register.kind.into(), "Read by Modbus.").map_err(named)?,
        labels,
        encoding: register.encoding,
        order: register.order,
        absent: register.absent,
        scale: register.scale,
        offset: register.offset,
    })
}

impl Point {
    /// The value in the metric's unit; `None` if the device says that it has none. `registers` are as many as [`Point::count`].
    pub fn value(&self, registers: &[u16]) -> Option<f64> {
        let mut words: Vec<u16> = registers.to_vec();
        if matches!(self.order, Order::Cdab | Order::Dcba) {
            words.reverse();
        }
        if matches!(self.order, Order::Badc | Order::Dcba) {
            words.iter_mut().for_each(|word| *word = word.swap_bytes());
        }
        let bits = words.iter().fold(0_u64, |bits, word| (bits << 16) | u64::from(*word));
        if self.absent == Some(bits) {
            return None;
        }
        let number = match self.encoding {
            Encoding::U16 | Encoding::U32 | Encoding::U64 => bits as f64,
            Encoding::I16 => f64::from(bits as u16 as i16),
            Encoding::I32 => f64::from(bits as u32 as i32),
            Encoding::I64 => bits as i64 as f64,
            Encoding::F32 => f64::from(f32::from_bits(bits as u32)),
            Encoding::F64 => f64::from_bits(bits),
        };
        Some(number * self.scale + self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Bus, BusError> {
        let settings =
            format!("name = \"b\"\naddress = \"127.0.0.1:502\"\n[[devices]]\nunit = 1\n[[devices.registers]]\n{text}");
        bus(&toml::from_str(&settings).unwrap())
    }

    fn value(text: &str, registers: &[u16]) -> Option<f64> {
        let units = read(&format!("metric = \"x\"\naddress = 0\n{text}")).unwrap().units;
        assert_eq!(usize::from(units[0].points[0].count), registers.len(), "{text}");
        units[0].points[0].value(registers)
    }

    #[test]
    fn every_encoding_and_order_gives_the_number_that_was_put_in() {
        assert_eq!(value("", &[65_535]), Some(65_535.0));
        assert_eq!(value("encoding = \"i16\"\nscale = 0.1", &[0xFFF6]), Some(-1.0));
        assert_eq!(value("encoding = \"u32\"", &[1, 2]), Some(65_538.0));
        assert_eq!(value("encoding = \"i32\"", &[0xFFFF, 0xFFFE]), Some(-2.0));
        assert_eq!(
            value("encoding = \"i64\"", &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD]),
            Some(-3.0)
        );
        assert_eq!(value("encoding = \"u64\"\nscale = 3600", &[0, 0, 0, 2]), Some(7200.0));
        assert_eq!(value("encoding = \"f64\"", &[0x4037, 0x2000, 0, 0]), Some(23.125));
        // 230.5 is 0x43668000.
        for (order, registers) in [
            ("abcd", [0x4366, 0x8000]),
            ("cdab", [0x8000, 0x4366]),
            ("badc", [0x6643, 0x0080]),
            ("dcba", [0x0080, 0x6643]),
        ] {
            let text = format!("encoding = \"f32\"\norder = \"{order}\"\noffset = 0.5");
            assert_eq!(value(&text, &registers), Some(231.0), "{order}");
        }
        // 66051 is 0x00010203, and -2 all ones but the last.
        for (order, registers, negative) in [
            ("abcd", [0x0001, 0x0203], [0xFFFF, 0xFFFE]),
            ("cdab", [0x0203, 0x0001], [0xFFFE, 0xFFFF]),
            ("badc", [0x0100, 0x0302], [0xFFFF, 0xFEFF]),
            ("dcba", [0x0302, 0x0100], [0xFEFF, 0xFFFF]),
        ] {
            let of = |encoding: &str, registers: &[u16]| {
                value(&format!("encoding = \"{encoding}\"\norder = \"{order}\""), registers)
            };
            assert_eq!(of("u32", &registers), Some(66_051.0), "{order}");
            assert_eq!(of("i32", &negative), Some(-2.0), "{order}");
        }
        // 0x0001020304050607, of which a number keeps 53 bits.
        for (order, registers) in [
            ("abcd", [0x0001, 0x0203, 0x0405, 0x0607]),
            ("cdab", [0x0607, 0x0405, 0x0203, 0x0001]),
            ("badc", [0x0100, 0x0302, 0x0504, 0x0706]),
            ("dcba", [0x0706, 0x0504, 0x0302, 0x0100]),
        ] {
            for encoding in ["u64", "i64"] {
                let text = format!("encoding = \"{encoding}\"\norder = \"{order}\"");
                assert_eq!(
                    value(&text, &registers),
                    Some(0x0001_0203_0405_0607_u64 as f64),
                    "{encoding} {order}"
                );
            }
        }
        assert_eq!(value("absent = 0xFFFF", &[0xFFFF]), None);
        assert_eq!(value("encoding = \"i32\"\nabsent = 0x80000000", &[0x8000, 0]), None);
    }

    /// Whatever a device has in its registers, integers are numbers within the bounds of their encoding.
    #[test]
    fn whatever_registers_hold_the_outcome_is_a_number_of_the_encoding() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 48) as u16
        };
        for (encoding, count, (low, high)) in [
            ("u16", 1, (0.0, 65_535.0)),
            ("i16", 1, (-32_768.0, 32_767.0)),
            ("u32", 2, (0.0, 4_294_967_295.0)),
            ("i32", 2, (-2_147_483_648.0, 2_147_483_647.0)),
            ("u64", 4, (0.0, u64::MAX as f64)),
            ("i64", 4, (i64::MIN as f64, i64::MAX as f64)),
            ("f32", 2, (f64::from(f32::MIN), f64::from(f32::MAX))),
            ("f64", 4, (f64::MIN, f64::MAX)),
        ] {
            for order in ["abcd", "cdab", "badc", "dcba"] {
                let text = format!("metric = \"x\"\naddress = 0\nencoding = \"{encoding}\"\norder = \"{order}\"");
                let bus = read(&text).unwrap();
                let point = &bus.units[0].points[0];
                for _ in 0..1000 {
                    let registers: Vec<u16> = (0..count).map(|_| random()).collect();
                    let value = point.value(&registers).unwrap();
                    // Of floating point some contents are no numbers, which the recorder counts as invalid.
                    let is_number = (low..=high).contains(&value);
                    assert!(
                        is_number || encoding.starts_with('f') && !value.is_finite(),
                        "{encoding} {order} {registers:?}: {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_register_that_cannot_be_read_is_refused() {
        for (text, error) in [
            (
                "metric = \"x\"\naddress = 65535\nencoding = \"u32\"",
                BusError::End(65_535),
            ),
            ("metric = \"x\"\naddress = 3\nscale = 0", BusError::Scale(3)),
            (
                "metric = \"x\"\naddress = 3\ntable = \"coil\"\nencoding = \"i16\"",
                BusError::Bit(3),
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), error);
        }
        let named = read("metric = \"edge_x\"\naddress = 3").unwrap_err();
        assert!(matches!(named, BusError::Name(3, _)), "{named}");
        for text in [
            "name = \"b\"\ndevices = []",
            "name = \"b\"\naddress = \"127.0.0.1:502\"\nport = \"/dev/ttyUSB0\"\ndevices = []",
        ] {
            assert_eq!(bus(&toml::from_str(text).unwrap()).unwrap_err(), BusError::Transport);
        }
    }

    #[test]
    fn what_a_register_says_of_itself_goes_before_what_its_device_says() {
        let units = read(
            "metric = \"x\"\naddress = 0\nlabels = { phase = \"1\" }\n[devices.labels]\nphase = \"all\"\nmeter = \"m\"\n",
        );
        let labels = &units.unwrap().units[0].points[0].labels;
        assert_eq!(*labels, [("meter", "m".to_owned()), ("phase", "1".to_owned())]);
    }
}
