//! Calls of methods over D-Bus, as far as a question to a local service takes it: the D-Bus Specification 0.43, without file descriptors,
//! signals and the types that no answer here has.
//!
//! By hand, since rustbus 0.19 loops for ever when the bus hangs up while it introduces itself, and zbus 5 makes the program a megabyte larger.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use thiserror::Error;

/// Bytes of an answer. The units of a large machine take 200 KB.
const MAX_ANSWER: usize = 1 << 20;
/// Bytes of a line while both introduce themselves.
const MAX_LINE: usize = 512;
/// The message calls a method.
const CALL: u8 = 1;
/// The message is the answer to a call.
const RETURN: u8 = 2;
/// The message is the error that a call came to.
const ERROR: u8 = 3;
/// A call must not start a service that does not run.
const NO_AUTO_START: u8 = 2;
/// Fields of a header.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum BusError {
    /// The socket.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bus does not let the user in; its words.
    #[error("it does not let us in: {0}")]
    Refused(String),
    /// The service, or the bus in its place, answers with an error of this name.
    #[error("{0}")]
    Answer(String),
    /// Not what the specification allows.
    #[error("it answers with something odd: {0}")]
    Malformed(&'static str),
}

/// A connection to a message bus.
pub struct Bus {
    stream: UnixStream,
    serial: u32,
    until: Instant,
}

/// Whose method it is.
pub struct Object<'a> {
    /// Name on the bus.
    pub service: &'a str,
    /// Path of the object.
    pub path: &'a str,
    /// The interface with the method.
    pub interface: &'a str,
}

impl Bus {
    /// Connects to the bus whose socket is `path`, as the user that this process runs as. All its calls have to end within `limit`.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn connect(path: &Path, limit: Duration) -> Result<Self, BusError> {
        let mut bus = Self {
            stream: UnixStream::connect(path)?,
            serial: 0,
            until: Instant::now() + limit,
        };
        let user: String = rustix::process::getuid()
            .as_raw()
            .to_string()
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        bus.write(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes())?;
        let answer = bus.line()?;
        if !answer.starts_with("OK ") {
            return Err(BusError::Refused(answer));
        }
        bus.write(b"BEGIN\r\n")?;
        let object = Object {
            service: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
        };
        bus.call(&object, "Hello", &[], "s")?;
        Ok(bus)
    }

    /// Calls `method` with `arguments`, all of them strings, and waits for its answer, whose signature must be `expected`.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn call(
        &mut self,
        object: &Object,
        method: &str,
        arguments: &[&str],
        expected: &str,
    ) -> Result<Body, BusError> {
        self.serial += 1;
        let message = call(self.serial, object, method, arguments);
        self.write(&message)?;
        loop {
            let answer = self.message()?;
            if answer.reply_to != Some(self.serial) {
                continue; // A signal, such as that of our own name.
            }
            return match answer.kind {
                RETURN if answer.signature == expected => Ok(answer.body),
                RETURN => Err(BusError::Malformed("an answer of another type")),
                _ => Err(BusError::Answer(answer.error)),
            };
        }
    }

    /// Milliseconds at least, for 0 would mean for ever.
    fn left(&self) -> Result<Option<Duration>, BusError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        Ok(Some(left))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BusError> {
        self.stream.set_write_timeout(self.left()?)?;
        Ok(self.stream.write_all(bytes)?)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), BusError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            self.stream.set_read_timeout(self.left()?)?;
            match self.stream.read(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A line without its end. Byte by byte, since nothing behind it may be taken.
    fn line(&mut self) -> Result<String, BusError> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.read(&mut byte)?;
            line.extend(byte);
            if line.len() > MAX_LINE {
                return Err(BusError::Malformed("an endless line"));
            }
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn message(&mut self) -> Result<Message, BusError> {
        let mut head = vec![0; 16];
        self.read(&mut head)?;
        let is_big = match head[0] {
            b'l' => false,
            b'B' => true,
            _ => return Err(BusError::Malformed("neither byte order")),
        };
        let kind = head[1];
        let mut fixed = Body {
            bytes: head,
            at: 4,
            is_big,
        };
        let (body, _serial, fields) = (fixed.u32()?, fixed.u32()?, fixed.u32()?);
        let (body, fields) = (body as usize, fields as usize);
        if body > MAX_ANSWER || fields > MAX_ANSWER {
            return Err(BusError::Malformed("a message beyond 1 MiB"));
        }
        // The header is padded to eight bytes. Its fields begin at such a place.
        let mut bytes = vec![0; fields.next_multiple_of(8) + body];
        self.read(&mut bytes)?;
        let body = bytes.split_off(fields.next_multiple_of(8));
        bytes.truncate(fields);
        let mut message = Message {
            kind,
            reply_to: None,
            error: String::new(),
            signature: String::new(),
            body: Body {
                bytes: body,
                at: 0,
                is_big,
            },
        };
        let mut fields = Body { bytes, at: 0, is_big };
        while !fields.is_at_end() {
            fields.align(8);
            let code = fields.u8()?;
            match (code, &*fields.signature()?) {
                (REPLY_SERIAL, "u") => message.reply_to = Some(fields.u32()?),
                (ERROR_NAME, "s") => message.error = fields.string()?,
                (SIGNATURE, "g") => message.signature = fields.signature()?,
                (_, "u") => drop(fields.u32()?),
                (_, "s" | "o") => drop(fields.string()?),
                (_, "g") => drop(fields.signature()?),
                _ => return Err(BusError::Malformed("a field of an unknown type")),
            }
        }
        if matches!(kind, RETURN | ERROR) && message.reply_to.is_none() {
            return Err(BusError::Malformed("an answer to nothing"));
        }
        Ok(message)
    }
}

struct Message {
    kind: u8,
    reply_to: Option<u32>,
    error: String,
    signature: String,
    body: Body,
}

/// A call of a method with strings as arguments, in little-endian byte order: each side reads the other's.
fn call(serial: u32, object: &Object, method: &str, arguments: &[&str]) -> Vec<u8> {
    let mut body = Writer::default();
    for argument in arguments {
        body.string(argument);
    }
    let mut fields = Writer::default();
    for (code, kind, text) in [
        (PATH, "o", object.path),
        (INTERFACE, "s", object.interface),
        (MEMBER, "s", method),
        (DESTINATION, "s", object.service),
    ] {
        fields.align(8);
        fields.0.push(code);
        fields.signature(kind);
        fields.string(text);
    }
    if !arguments.is_empty() {
        fields.align(8);
        fields.0.push(SIGNATURE);
        fields.signature("g");
        fields.signature(&"s".repeat(arguments.len()));
    }
    let mut message = Writer(vec![b'l', CALL, NO_AUTO_START, 1]);
    message.u32(body.0.len());
    message.0.extend(serial.to_le_bytes());
    message.u32(fields.0.len());
    message.0.extend(fields.0);
    message.align(8);
    message.0.extend(body.0);
    message.0
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    #[expect(clippy::cast_possible_truncation, reason = "lengths of our own few words")]
    fn u32(&mut self, length: usize) {
        self.align(4);
        self.0.extend((length as u32).to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        self.u32(text.len());
        self.0.extend(text.bytes().chain([0]));
    }

    #[expect(clippy::cast_possible_truncation, reason = "lengths of our own few words")]
    fn signature(&mut self, text: &str) {
        self.0.push(text.len() as u8);
        self.0.extend(text.bytes().chain([0]));
    }
}

/// What an answer holds, read from front to back.
pub struct Body {
    bytes: Vec<u8>,
    at: usize,
    is_big: bool,
}

impl Body {
    /// Whether all of it has been read.
    pub const fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Goes on to the next multiple of `to` bytes, where values of a type begin (8 for structures).
    pub const fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Result<&[u8], BusError> {
        let end = self.at.checked_add(count);
        let bytes = end.and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or(BusError::Malformed("it ends too soon"))?;
        self.at += count;
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<u8, BusError> {
        Ok(self.take(1)?[0])
    }

    /// A number of 32 bits; also the bytes that an array takes, in front of it.
    ///
    /// # Errors
    /// It ends before.
    pub fn u32(&mut self) -> Result<u32, BusError> {
        self.align(4);
        let is_big = self.is_big;
        let bytes = <[u8; 4]>::try_from(self.take(4)?).unwrap_or_default();
        Ok(match is_big {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    /// A string, or the path of an object. What is no UTF-8 in it is replaced.
    ///
    /// # Errors
    /// It ends before.
    pub fn string(&mut self) -> Result<String, BusError> {
        let length = self.u32()? as usize;
        self.text(length)
    }

    /// The signature in front of a variant's value.
    ///
    /// # Errors
    /// It ends before.
    pub fn signature(&mut self) -> Result<String, BusError> {
        let length = usize::from(self.u8()?);
        self.text(length)
    }

    /// Text of that many bytes and its NUL.
    fn text(&mut self, length: usize) -> Result<String, BusError> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.take(1)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of these units to the call of that serial: what `ListUnits` brings.
    fn answer(serial: u32) -> Vec<u8> {
        let mut units = Writer::default();
        for name in ["ssh.service", "pump.service"] {
            units.align(8);
            for text in [name, "a unit", "loaded", "active", "running", "", "/org/unit"] {
                units.string(text);
            }
            units.u32(0);
            units.string("");
            units.string("/");
        }
        let mut body = Writer::default();
        body.u32(units.0.len());
        body.align(8);
        body.0.extend(units.0);
        let mut fields = Writer(vec![REPLY_SERIAL]);
        fields.signature("u");
        fields.align(4);
        fields.0.extend(serial.to_le_bytes());
        fields.align(8);
        fields.0.push(SIGNATURE);
        fields.signature("g");
        fields.signature("a(ssssssouso)");
        let mut message = Writer(vec![b'l', RETURN, 0, 1]);
        message.u32(body.0.len());
        message.0.extend(1_u32.to_le_bytes());
        message.u32(fields.0.len());
        message.0.extend(fields.0);
        message.align(8);
        message.0.extend(body.0);
        message.0
    }

    /// What comes of a call that is answered so; the other side hangs up afterwards.
    fn units_of(answer: &[u8]) -> Result<Vec<super::super::Unit>, BusError> {
        let (ours, mut theirs) = UnixStream::pair()?;
        theirs.write_all(answer)?;
        theirs.shutdown(std::net::Shutdown::Write)?;
        let until = Instant::now() + Duration::from_secs(5);
        let mut bus = Bus {
            stream: ours,
            serial: 0,
            until,
        };
        super::super::units(&mut bus)
    }

    #[test]
    fn answers_are_read_behind_what_nobody_asked_for() {
        let mut both = answer(77);
        both.extend(answer(1));
        let units = units_of(&both).unwrap();
        let names: Vec<_> = units
            .iter()
            .map(|unit| (&*unit.name, &*unit.state, &*unit.path))
            .collect();
        assert_eq!(
            names,
            [
                ("ssh.service", "active", "/org/unit"),
                ("pump.service", "active", "/org/unit")
            ]
        );
    }

    #[test]
    fn whatever_is_wrong_with_an_answer_ends_in_an_error_or_in_other_texts() {
        let whole = answer(1);
        for end in 0..whole.len() {
            assert!(units_of(&whole[..end]).is_err(), "cut off after {end} bytes");
        }
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..5000 {
            let mut broken = whole.clone();
            for _ in 0..=next(4) {
                let at = next(broken.len());
                broken[at] = [0, 1, 0x7f, 0xff, b'B', b'l'][next(6)];
            }
            let _ = units_of(&broken).map(|units| assert!(units.len() < 1000));
        }
    }
}
