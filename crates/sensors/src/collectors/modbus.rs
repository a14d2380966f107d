//! Meters and other devices that answer to Modbus, on TCP or on a serial line (<https://modbus.org/specs.php>). Reads only: functions 1 to 4.

mod connection;
pub mod registers;

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_modbus::ExceptionCode;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{ErrorKind, OpenError, ReadError};
use crate::plausible::SWITCH;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use connection::{Connection, ModbusError};
use registers::{Bus, Unit};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "modbus",
    needs: None,
    collect: Collect::Standard,
    // Each bus is a part, and gets a thread of its own as soon as it is slow.
    schedule: Schedule::DedicatedThread,
    period: Duration::from_secs(10),
    deadline: Duration::from_secs(30),
    open,
};

const UP: Metric = Metric::gauge(
    "edge_modbus_up",
    "",
    "1 if the device answered all questions of the last round, be it with an exception of its own.",
)
.within(SWITCH);

struct Buses(Vec<Bus>);

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    let buses = registers::buses(&settings.modbus).map_err(|(number, error)| OpenError::Bus(number, error))?;
    Ok(Box::new(Buses(buses)))
}

impl Collector for Buses {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| ReadError::Io {
            path: "event queue of Modbus".into(),
            source,
        })?;
        for bus in &self.0 {
            if recorder.begin_part(&bus.name) {
                bus.read(&runtime, recorder);
            }
        }
        Ok(())
    }
}

impl Bus {
    fn read(&self, runtime: &Runtime, recorder: &mut Recorder) {
        // Opened for each round, since many devices close what is idle; and again after a failure, since a late answer would be taken for
        // that of the next question.
        let mut connection = None;
        for unit in &self.units {
            let result = self.read_unit(unit, runtime, &mut connection, recorder);
            let number = unit.number.to_string();
            let labels = [("bus", self.name.as_str()), ("unit", &number)];
            recorder.push(&UP, &labels, f64::from(u8::from(result.is_ok())));
            if let Err(failure) = result {
                connection = None;
                recorder.fail(self.error(unit, failure));
            }
        }
    }

    fn error(&self, unit: &Unit, ModbusError { kind, what }: ModbusError) -> ReadError {
        ReadError::Remote {
            kind,
            address: format!("{} unit {}", self.name, unit.number),
            what,
        }
    }

    /// Ends with the first question that is not answered: a device that is switched off would cost the time of all of them.
    fn read_unit(
        &self,
        unit: &Unit,
        runtime: &Runtime,
        connection: &mut Option<Connection>,
        recorder: &mut Recorder,
    ) -> Result<(), ModbusError> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(runtime.block_on(Connection::open(self))?),
        };
        for point in &unit.points {
            if !recorder.has_room() {
                continue;
            }
            let at = |what: String| format!("register {}: {what}", point.address);
            let answer = runtime.block_on(connection.ask(unit.number, point));
            let answer = answer.map_err(|failure| ModbusError {
                what: at(failure.what),
                ..failure
            })?;
            let value = match answer {
                Ok(registers) => point.value(&registers).map(Ok),
                Err(exception) => {
                    let (kind, what) = (kind_of(exception), at(exception.to_string()));
                    if is_of_gateway(exception) {
                        return Err(ModbusError { kind, what });
                    }
                    // The device is well, but refuses this one.
                    Some(Err(ModbusError { kind, what }))
                }
            };
            if let Some(value) = value {
                let labels: Vec<_> = point.labels.iter().map(|(name, value)| (*name, &**value)).collect();
                recorder.record(
                    point.metric,
                    &labels,
                    value.map_err(|failure| self.error(unit, failure)),
                );
            }
        }
        Ok(())
    }
}

/// A gateway says that of a device that does not answer it.
const fn is_of_gateway(exception: ExceptionCode) -> bool {
    matches!(
        exception,
        ExceptionCode::GatewayTargetDevice | ExceptionCode::GatewayPathUnavailable
    )
}

const fn kind_of(exception: ExceptionCode) -> ErrorKind {
    match exception {
        ExceptionCode::Acknowledge | ExceptionCode::ServerDeviceBusy => ErrorKind::NotReady,
        ExceptionCode::GatewayTargetDevice => ErrorKind::Timeout,
        ExceptionCode::IllegalFunction
        | ExceptionCode::IllegalDataAddress
        | ExceptionCode::IllegalDataValue
        | ExceptionCode::ServerDeviceFailure
        | ExceptionCode::MemoryParityError
        | ExceptionCode::GatewayPathUnavailable
        | ExceptionCode::Custom(_) => ErrorKind::Io,
    }
}

impl From<io::Error> for ModbusError {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::TimedOut => ErrorKind::Timeout,
            io::ErrorKind::InvalidData => ErrorKind::Invalid,
            _ => ErrorKind::Io,
        };
        let what = error.to_string();
        Self { kind, what }
    }
}
