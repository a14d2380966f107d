//! Grafana's ids of units.

use super::formatted::Place;
use super::kind::Kind;
use super::{number, span};

const ISO_DATE: &str = "YYYY-MM-DD HH:mm:ss";
const US_DATE: &str = "MM/DD/YYYY h:mm:ss a";
/// What a browser in the United States makes of a date, with the narrow space that it has there.
const LOCAL_DATE: &str = "MM/DD/YYYY, hh:mm:ss\u{202f}A";

/// The kind of the unit `id`.
pub fn of(id: &str) -> Kind<'_> {
    known(id).unwrap_or(Kind::Suffix(id))
}

/// What Grafana knows by that name; `None`: it would stand behind the number as it is.
pub fn known(id: &str) -> Option<Kind<'_>> {
    built_in(id).or_else(|| custom(id))
}

/// `prefix:`, `suffix:`, `time:`, `si:`, `count:`, `currency:` and `bool:`.
fn custom(id: &str) -> Option<Kind<'_>> {
    let (key, rest) = id.split_once(':')?;
    let fixed = |kind: fn(_) -> _| if rest.is_empty() { Kind::Plain } else { kind(rest) };
    Some(match key {
        "prefix" => fixed(Kind::Prefix),
        "suffix" => fixed(Kind::Suffix),
        "time" => Kind::Date(rest),
        "si" => {
            let letter = rest.chars().next()?;
            match number::si_offset(letter) {
                0 => Kind::Si(rest, 0),
                offset => Kind::Si(&rest[letter.len_utf8()..], offset),
            }
        }
        "count" => Kind::Count(rest),
        "currency" => {
            let mut parts = rest.split(':');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("financial"), Some(""), _) => Kind::Plain,
                (Some("financial"), Some(symbol), Some("suffix")) => Kind::Financial(symbol, Place::Behind),
                (Some("financial"), Some(symbol), _) => Kind::Financial(symbol, Place::Before),
                _ => Kind::Currency(rest, Place::Before),
            }
        }
        "bool" => {
            let (yes, no) = rest.split_once('/').unwrap_or((rest, "-"));
            Kind::Bool(yes, no)
        }
        _ => return None,
    })
}

/// The units that Grafana offers.
fn built_in(id: &str) -> Option<Kind<'static>> {
    // A match, since a table of texts would be relocated when the service starts: memory that nobody uses.
    Some(match id {
        // Misc
        "" | "none" => Kind::Plain,
        "string" => Kind::Text,
        "short" => Kind::Short,
        "sishort" => Kind::Si("", 0),
        "percent" => Kind::Percent(1.0),
        "percentunit" => Kind::Percent(100.0),
        "humidity" => Kind::Suffix("%H"),
        "dB" => Kind::Suffix("dB"),
        "candela" => Kind::Si("cd", 0),
        "hex0x" => Kind::Hex { prefix: "0x" },
        "hex" => Kind::Hex { prefix: "" },
        "sci" => Kind::Scientific,
        "locale" => Kind::Locale,
        "pixel" => Kind::Suffix("px"),
        // Acceleration
        "accMS2" => Kind::Suffix("m/sec²"),
        "accFS2" => Kind::Suffix("f/sec²"),
        "accG" => Kind::Suffix("g"),
        // Angle
        "degree" => Kind::Suffix("°"),
        "radian" => Kind::Suffix("rad"),
        "grad" => Kind::Suffix("grad"),
        "arcmin" => Kind::Suffix("arcmin"),
        "arcsec" => Kind::Suffix("arcsec"),
        // Area
        "areaM2" => Kind::Suffix("m²"),
        "areaF2" => Kind::Suffix("ft²"),
        "areaMI2" => Kind::Suffix("mi²"),
        "acres" => Kind::Suffix("ac"),
        "hectares" => Kind::Suffix("ha"),
        // Computation
        "flops" => Kind::Si("FLOPS", 0),
        "mflops" => Kind::Si("FLOPS", 2),
        "gflops" => Kind::Si("FLOPS", 3),
        "tflops" => Kind::Si("FLOPS", 4),
        "pflops" => Kind::Si("FLOPS", 5),
        "eflops" => Kind::Si("FLOPS", 6),
        "zflops" => Kind::Si("FLOPS", 7),
        "yflops" => Kind::Si("FLOPS", 8),
        // Concentration
        "ppm" => Kind::Suffix("ppm"),
        "conppb" => Kind::Suffix("ppb"),
        "conngm3" => Kind::Suffix("ng/m³"),
        "conngNm3" => Kind::Suffix("ng/Nm³"),
        "conμgm3" => Kind::Suffix("μg/m³"),
        "conμgNm3" => Kind::Suffix("μg/Nm³"),
        "conmgm3" => Kind::Suffix("mg/m³"),
        "conmgNm3" => Kind::Suffix("mg/Nm³"),
        "congm3" => Kind::Suffix("g/m³"),
        "congNm3" => Kind::Suffix("g/Nm³"),
        "conmgdL" => Kind::Suffix("mg/dL"),
        "conmmolL" => Kind::Suffix("mmol/L"),
        // Currency
        "currencyUSD" => Kind::Currency("$", Place::Before),
        "currencyGBP" => Kind::Currency("£", Place::Before),
        "currencyEUR" => Kind::Currency("€", Place::Before),
        "currencyJPY" => Kind::Currency("¥", Place::Before),
        "currencyRUB" => Kind::Currency("₽", Place::Before),
        "currencyUAH" => Kind::Currency("₴", Place::Before),
        "currencyBRL" => Kind::Currency("R$", Place::Before),
        "currencyDKK" => Kind::Currency("kr", Place::Behind),
        "currencyISK" => Kind::Currency("kr", Place::Behind),
        "currencyNOK" => Kind::Currency("kr", Place::Behind),
        "currencySEK" => Kind::Currency("kr", Place::Behind),
        "currencyCZK" => Kind::Currency("czk", Place::Before),
        "currencyCHF" => Kind::Currency("CHF", Place::Before),
        "currencyPLN" => Kind::Currency("PLN", Place::Before),
        "currencyBTC" => Kind::Currency("฿", Place::Before),
        "currencymBTC" => Kind::Currency("mBTC", Place::Before),
        "currencyμBTC" => Kind::Currency("μBTC", Place::Before),
        "currencyZAR" => Kind::Currency("R", Place::Before),
        "currencyINR" => Kind::Currency("₹", Place::Before),
        "currencyKRW" => Kind::Currency("₩", Place::Before),
        "currencyIDR" => Kind::Currency("Rp", Place::Before),
        "currencyPHP" => Kind::Currency("PHP", Place::Before),
        "currencyVND" => Kind::Currency("đ", Place::Behind),
        "currencyTRY" => Kind::Currency("₺", Place::Behind),
        "currencyMYR" => Kind::Currency("RM", Place::Before),
        "currencyXPF" => Kind::Currency("XPF", Place::Before),
        "currencyBGN" => Kind::Currency("BGN", Place::Before),
        "currencyPYG" => Kind::Currency("₲", Place::Before),
        "currencyUYU" => Kind::Currency("UYU", Place::Before),
        "currencyILS" => Kind::Currency("₪", Place::Before),
        // Data
        "bytes" => Kind::Binary("B", 0),
        "decbytes" => Kind::Si("B", 0),
        "bits" => Kind::Binary("b", 0),
        "decbits" => Kind::Si("b", 0),
        "kbytes" => Kind::Binary("B", 1),
        "deckbytes" => Kind::Si("B", 1),
        "mbytes" => Kind::Binary("B", 2),
        "decmbytes" => Kind::Si("B", 2),
        "gbytes" => Kind::Binary("B", 3),
        "decgbytes" => Kind::Si("B", 3),
        "tbytes" => Kind::Binary("B", 4),
        "dectbytes" => Kind::Si("B", 4),
        "pbytes" => Kind::Binary("B", 5),
        "decpbytes" => Kind::Si("B", 5),
        // Data rate
        "pps" => Kind::Si("p/s", 0),
        "binBps" => Kind::Binary("B/s", 0),
        "Bps" => Kind::Si("B/s", 0),
        "binbps" => Kind::Binary("b/s", 0),
        "bps" => Kind::Si("b/s", 0),
        "KiBs" => Kind::Binary("B/s", 1),
        "Kibits" => Kind::Binary("b/s", 1),
        "KBs" => Kind::Si("B/s", 1),
        "Kbits" => Kind::Si("b/s", 1),
        "MiBs" => Kind::Binary("B/s", 2),
        "Mibits" => Kind::Binary("b/s", 2),
        "MBs" => Kind::Si("B/s", 2),
        "Mbits" => Kind::Si("b/s", 2),
        "GiBs" => Kind::Binary("B/s", 3),
        "Gibits" => Kind::Binary("b/s", 3),
        "GBs" => Kind::Si("B/s", 3),
        "Gbits" => Kind::Si("b/s", 3),
        "TiBs" => Kind::Binary("B/s", 4),
        "Tibits" => Kind::Binary("b/s", 4),
        "TBs" => Kind::Si("B/s", 4),
        "Tbits" => Kind::Si("b/s", 4),
        "PiBs" => Kind::Binary("B/s", 5),
        "Pibits" => Kind::Binary("b/s", 5),
        "PBs" => Kind::Si("B/s", 5),
        "Pbits" => Kind::Si("b/s", 5),
        // Date time
        "dateTimeAsIso" => Kind::Date(ISO_DATE),
        "dateTimeAsIsoNoDateIfToday" => Kind::DateUnlessToday {
            other: ISO_DATE,
            today: "HH:mm:ss",
        },
        "dateTimeAsUS" => Kind::Date(US_DATE),
        "dateTimeAsUSNoDateIfToday" => Kind::DateUnlessToday {
            other: US_DATE,
            today: "h:mm:ss a",
        },
        "dateTimeAsLocal" => Kind::Date(LOCAL_DATE),
        "dateTimeAsLocalNoDateIfToday" => Kind::DateUnlessToday {
            other: LOCAL_DATE,
            today: "hh:mm:ss\u{202f}A",
        },
        "dateTimeAsSystem" => Kind::Date(ISO_DATE),
        "dateTimeFromNow" => Kind::FromNow,
        // Energy
        "watt" => Kind::Si("W", 0),
        "kwatt" => Kind::Si("W", 1),
        "megwatt" => Kind::Si("W", 2),
        "gwatt" => Kind::Si("W", 3),
        "mwatt" => Kind::Si("W", -1),
        "Wm2" => Kind::Si("W/m²", 0),
        "voltamp" => Kind::Si("VA", 0),
        "kvoltamp" => Kind::Si("VA", 1),
        "voltampreact" => Kind::Si("VAr", 0),
        "kvoltampreact" => Kind::Si("VAr", 1),
        "watth" => Kind::Si("Wh", 0),
        "watthperkg" => Kind::Si("Wh/kg", 0),
        "kwatth" => Kind::Si("Wh", 1),
        "kwattm" => Kind::Si("W-Min", 1),
        "mwatth" => Kind::Si("Wh", 2),
        "amph" => Kind::Si("Ah", 0),
        "kamph" => Kind::Si("Ah", 1),
        "mamph" => Kind::Si("Ah", -1),
        "joule" => Kind::Si("J", 0),
        "ev" => Kind::Si("eV", 0),
        "amp" => Kind::Si("A", 0),
        "kamp" => Kind::Si("A", 1),
        "mamp" => Kind::Si("A", -1),
        "volt" => Kind::Si("V", 0),
        "kvolt" => Kind::Si("V", 1),
        "mvolt" => Kind::Si("V", -1),
        "dBm" => Kind::Suffix("dbm"),
        "mohm" => Kind::Si("Ω", -1),
        "ohm" => Kind::Si("Ω", 0),
        "kohm" => Kind::Si("Ω", 1),
        "Mohm" => Kind::Si("Ω", 2),
        "farad" => Kind::Si("F", 0),
        "µfarad" => Kind::Si("F", -2),
        "nfarad" => Kind::Si("F", -3),
        "pfarad" => Kind::Si("F", -4),
        "ffarad" => Kind::Si("F", -5),
        "henry" => Kind::Si("H", 0),
        "mhenry" => Kind::Si("H", -1),
        "µhenry" => Kind::Si("H", -2),
        "lumens" => Kind::Si("Lm", 0),
        // Flow
        "flowgpm" => Kind::Suffix("gpm"),
        "flowcms" => Kind::Suffix("cms"),
        "flowcfs" => Kind::Suffix("cfs"),
        "flowcfm" => Kind::Suffix("cfm"),
        "litreh" => Kind::Suffix("L/h"),
        "flowlpm" => Kind::Suffix("L/min"),
        "flowmlpm" => Kind::Suffix("mL/min"),
        "lux" => Kind::Suffix("lux"),
        // Force
        "forceNm" => Kind::Si("Nm", 0),
        "forcekNm" => Kind::Si("Nm", 1),
        "forceN" => Kind::Si("N", 0),
        "forcekN" => Kind::Si("N", 1),
        // Hash rate
        "Hs" => Kind::Si("H/s", 0),
        "KHs" => Kind::Si("H/s", 1),
        "MHs" => Kind::Si("H/s", 2),
        "GHs" => Kind::Si("H/s", 3),
        "THs" => Kind::Si("H/s", 4),
        "PHs" => Kind::Si("H/s", 5),
        "EHs" => Kind::Si("H/s", 6),
        // Mass
        "massmg" => Kind::Si("g", -1),
        "massg" => Kind::Si("g", 0),
        "masslb" => Kind::Suffix("lb"),
        "masskg" => Kind::Si("g", 1),
        "masst" => Kind::Suffix("t"),
        // Length
        "lengthmm" => Kind::Si("m", -1),
        "lengthcm" => Kind::Suffix("cm"),
        "lengthin" => Kind::Suffix("in"),
        "lengthft" => Kind::Suffix("ft"),
        "lengthm" => Kind::Si("m", 0),
        "lengthkm" => Kind::Si("m", 1),
        "lengthmi" => Kind::Suffix("mi"),
        // Pressure
        "pressurembar" => Kind::Si("bar", -1),
        "pressurebar" => Kind::Si("bar", 0),
        "pressurekbar" => Kind::Si("bar", 1),
        "pressurepa" => Kind::Si("Pa", 0),
        "pressurehpa" => Kind::Suffix("hPa"),
        "pressurekpa" => Kind::Suffix("kPa"),
        "pressurehg" => Kind::Suffix("\"Hg"),
        "pressurepsi" => Kind::Psi,
        // Radiation
        "radbq" => Kind::Si("Bq", 0),
        "radci" => Kind::Si("Ci", 0),
        "radgy" => Kind::Si("Gy", 0),
        "radrad" => Kind::Si("rad", 0),
        "radsv" => Kind::Si("Sv", 0),
        "radmsv" => Kind::Si("Sv", -1),
        "radusv" => Kind::Si("Sv", -2),
        "radrem" => Kind::Si("rem", 0),
        "radexpckg" => Kind::Si("C/kg", 0),
        "radr" => Kind::Si("R", 0),
        "radsvh" => Kind::Si("Sv/h", 0),
        "radmsvh" => Kind::Si("Sv/h", -1),
        "radusvh" => Kind::Si("Sv/h", -2),
        // Rotational speed
        "rotrpm" => Kind::Suffix("rpm"),
        "rothz" => Kind::Si("Hz", 0),
        "rotkhz" => Kind::Si("Hz", 1),
        "rotmhz" => Kind::Si("Hz", 2),
        "rotghz" => Kind::Si("Hz", 3),
        "rotrads" => Kind::Suffix("rad/s"),
        "rotdegs" => Kind::Suffix("°/s"),
        // Temperature
        "celsius" => Kind::Suffix("°C"),
        "fahrenheit" | "farenheit" => Kind::Suffix("°F"),
        "kelvin" => Kind::Suffix("K"),
        // Time
        "hertz" => Kind::Si("Hz", 0),
        "ns" => Kind::Span(span::NANOSECONDS),
        "µs" => Kind::Span(span::MICROSECONDS),
        "ms" => Kind::Span(span::MILLISECONDS),
        "s" => Kind::Seconds,
        "m" => Kind::Span(span::MINUTES),
        "h" => Kind::Span(span::HOURS),
        "d" => Kind::Span(span::DAYS),
        "dtdurationms" => Kind::Words {
            milliseconds: 1.0,
            unit: "millisecond",
        },
        "dtdurations" => Kind::Words {
            milliseconds: 1e3,
            unit: "second",
        },
        "dthms" => Kind::HoursMinutesSeconds,
        "dtdhms" => Kind::DaysHoursMinutesSeconds,
        "timeticks" => Kind::Ticks,
        "clockms" => Kind::Clock { milliseconds: 1.0 },
        "clocks" => Kind::Clock { milliseconds: 1e3 },
        // Throughput
        "cps" => Kind::Count("c/s"),
        "ops" => Kind::Count("ops/s"),
        "reqps" => Kind::Count("req/s"),
        "rps" => Kind::Count("rd/s"),
        "wps" => Kind::Count("wr/s"),
        "iops" => Kind::Count("io/s"),
        "eps" => Kind::Count("evt/s"),
        "mps" => Kind::Count("msg/s"),
        "recps" => Kind::Count("rec/s"),
        "rowsps" => Kind::Count("rows/s"),
        "cpm" => Kind::Count("c/m"),
        "opm" => Kind::Count("ops/m"),
        "reqpm" => Kind::Count("req/m"),
        "rpm" => Kind::Count("rd/m"),
        "wpm" => Kind::Count("wr/m"),
        "epm" => Kind::Count("evts/m"),
        "mpm" => Kind::Count("msgs/m"),
        "recpm" => Kind::Count("rec/m"),
        "rowspm" => Kind::Count("rows/m"),
        // Velocity
        "velocityms" => Kind::Suffix("m/s"),
        "velocitykmh" => Kind::Suffix("km/h"),
        "velocitymph" => Kind::Suffix("mph"),
        "velocityknot" => Kind::Suffix("kn"),
        // Volume
        "mlitre" => Kind::Si("L", -1),
        "litre" => Kind::Si("L", 0),
        "m3" => Kind::Suffix("m³"),
        "Nm3" => Kind::Suffix("Nm³"),
        "dm3" => Kind::Suffix("dm³"),
        "gallons" => Kind::Suffix("gal"),
        // Boolean
        "bool" => Kind::Bool("True", "False"),
        "bool_yes_no" => Kind::Bool("Yes", "No"),
        "bool_on_off" => Kind::Bool("On", "Off"),
        _ => return None,
    })
}
