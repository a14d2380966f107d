//! Questions and answers on a bus.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serial2_tokio::{CharSize, FlowControl, SerialPort};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};
use tokio_modbus::{Error, ExceptionCode, Request, Response};

use super::registers::{Bus, Point, Serial, Transport};
use crate::error::ErrorKind;
use crate::settings::modbus::{Parity, Table};

/// How long another program may have the port: longer than it takes to read a bus whose devices answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two attempts to lock the port.
const PAUSE: Duration = Duration::from_millis(20);

/// Why there is no answer.
#[derive(Debug)]
pub struct ModbusError {
    /// Its kind.
    pub kind: ErrorKind,
    /// What went wrong.
    pub what: String,
}

/// An open bus.
pub struct Connection {
    context: Context,
    /// Time for an answer.
    timeout: Duration,
    /// How long the line has to be silent before a question.
    silence: Option<Duration>,
    /// Of the port, which is closed before.
    _lock: Option<File>,
}

impl Connection {
    /// Connects, or opens the port.
    pub async fn open(bus: &Bus) -> Result<Self, ModbusError> {
        let (context, silence, lock) = match &bus.transport {
            Transport::Tcp(address) => {
                let stream = timeout(bus.timeout, TcpStream::connect(address)).await;
                let stream = stream.map_err(|_| no_answer(bus.timeout))??;
                (tcp::attach(stream), None, None)
            }
            Transport::Serial(serial) => {
                let lock = lock(&serial.port).await.map_err(|error| named(&error, serial))?;
                let port = open(serial).map_err(|error| named(&error, serial))?;
                (rtu::attach(port), Some(silence(serial.baud)), Some(lock))
            }
        };
        Ok(Self {
            context,
            timeout: bus.timeout,
            silence,
            _lock: lock,
        })
    }

    /// The registers of a value, as many as it takes, or why the device has none for it; of a bit one that is 0 or 1.
    pub async fn ask(&mut self, unit: u8, point: &Point) -> Result<Result<Vec<u16>, ExceptionCode>, ModbusError> {
        if let Some(silence) = self.silence {
            sleep(silence).await;
        }
        self.context.set_slave(Slave(unit));
        let (address, count) = (point.address, point.count);
        let request = match point.table {
            Table::Holding => Request::ReadHoldingRegisters(address, count),
            Table::Input => Request::ReadInputRegisters(address, count),
            Table::Coil => Request::ReadCoils(address, count),
            Table::Discrete => Request::ReadDiscreteInputs(address, count),
        };
        let answer = timeout(self.timeout, self.context.call(request)).await;
        let answer = match answer.map_err(|_| no_answer(self.timeout))? {
            Ok(answer) => answer,
            Err(Error::Transport(error)) => return Err(error.into()),
            Err(Error::Protocol(error)) => return Err(invalid(error.to_string())),
        };
        let registers = match answer {
            Ok(Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers)) => registers,
            // They come as whole bytes.
            Ok(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)) => {
                bits.into_iter().take(usize::from(count)).map(u16::from).collect()
            }
            Ok(other) => return Err(invalid(format!("{other:?} is no answer to this"))),
            Err(exception) => return Ok(Err(exception)),
        };
        match registers.len() == usize::from(count) {
            true => Ok(Ok(registers)),
            false => Err(invalid(format!("{} registers instead of {count}", registers.len()))),
        }
    }
}

fn no_answer(after: Duration) -> ModbusError {
    ModbusError {
        kind: ErrorKind::Timeout,
        what: format!("no answer within {after:?}"),
    }
}

fn invalid(what: String) -> ModbusError {
    ModbusError {
        kind: ErrorKind::Invalid,
        what,
    }
}

/// Waits for its turn. Two readers of one port, such as the service before and after a reload, or `edgewatch sensors` beside it, would take each
/// other's bytes, and each would set the port as it needs it. The lock is the one that other programs for serial ports take as well.
async fn lock(port: &Path) -> io::Result<File> {
    // As a port that waits for a modem would not be opened at all.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(port)?;
    let attempts = async {
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK | Errno::INTR) => sleep(PAUSE).await,
                ended => return ended,
            }
        }
    };
    let in_use = |_| io::Error::new(io::ErrorKind::ResourceBusy, "in use by another program");
    timeout(LONGEST_WAIT, attempts).await.map_err(in_use)??;
    Ok(file)
}

fn open(serial: &Serial) -> io::Result<SerialPort> {
    let port = SerialPort::open(&serial.port, |mut settings: serial2_tokio::Settings| {
        settings.set_raw();
        settings.set_baud_rate(serial.baud)?;
        settings.set_char_size(CharSize::Bits8);
        settings.set_flow_control(FlowControl::None);
        settings.set_stop_bits(serial.stop_bits);
        settings.set_parity(match serial.parity {
            Parity::Even => serial2_tokio::Parity::Even,
            Parity::Odd => serial2_tokio::Parity::Odd,
            Parity::None => serial2_tokio::Parity::None,
        });
        Ok(settings)
    })?;
    // A late answer to who had the port before.
    port.discard_input_buffer()?;
    Ok(port)
}

fn named(error: &io::Error, serial: &Serial) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", serial.port.display()))
}

/// By which a device knows that a question begins: 3.5 characters of 11 bits, or 1.75 ms above 19200 baud ("Modbus over serial line" V1.02, 2.5.1.1).
fn silence(baud: u32) -> Duration {
    match baud {
        19_201.. => Duration::from_micros(1750),
        _ => Duration::from_secs_f64(3.5 * 11.0 / f64::from(baud)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_silent_for_three_and_a_half_characters_before_a_question() {
        assert_eq!(silence(1200).as_micros(), 32_083);
        assert_eq!(silence(9600).as_micros(), 4010);
        assert_eq!(silence(19_200).as_micros(), 2005);
        assert_eq!(silence(115_200).as_micros(), 1750);
    }
}
