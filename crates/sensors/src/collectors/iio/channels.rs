//! Which attributes of an IIO device are channels, and what each type of channel measures.

use crate::plausible::{AMPERES, CELSIUS, HUMIDITY, NOT_NEGATIVE, RATIO, VOLTS, WATTS};
use crate::reading::Metric;

/// What a type of channel measures.
#[derive(Debug)]
pub struct Quantity {
    /// The type: `temp`.
    pub kind: &'static str,
    /// By what a value in IIO's unit is multiplied, then divided, to be in the base unit.
    factor: (f64, f64),
    /// Its metric.
    pub metric: Metric,
}

impl Quantity {
    /// The value in the base unit, of one in IIO's. A division by 1000 comes out as the nearest number, a product with 0.001 does not.
    pub fn to_base(&self, value: f64) -> f64 {
        value * self.factor.0 / self.factor.1
    }
}

const fn quantity(kind: &'static str, factor: (f64, f64), metric: Metric) -> Quantity {
    Quantity { kind, factor, metric }
}

const fn gauge(name: &'static str, unit: &'static str, help: &'static str, range: (f64, f64)) -> Metric {
    Metric::gauge(name, unit, help).within(range)
}

const SAME: (f64, f64) = (1.0, 1.0);
const MILLI: (f64, f64) = (1.0, 1e3);
const PERCENT: (f64, f64) = (1.0, 1e2);
const MILLI_PERCENT: (f64, f64) = (1.0, 1e5);
const DEGREES: (f64, f64) = (std::f64::consts::PI, 180.0);
/// Beyond what any such sensor is made for, and what a bus of ones or zeros would become.
const MOTION: (f64, f64) = (-1e5, 1e5);
const ANGLE: (f64, f64) = (-1e6, 1e6);

/// Every type whose unit the kernel documents; a longer name before one that it begins with.
pub static QUANTITIES: &[Quantity] = &[
    quantity(
        "temp",
        MILLI,
        gauge("edge_iio_temperature_celsius", "celsius", "Temperature.", CELSIUS),
    ),
    quantity(
        "humidityrelative",
        MILLI_PERCENT,
        gauge(
            "edge_iio_humidity_ratio",
            "ratio",
            "Relative humidity, 0 to 1.",
            HUMIDITY,
        ),
    ),
    // From kilopascals. The deepest sea has 110 MPa.
    quantity(
        "pressure",
        (1e3, 1.0),
        gauge("edge_iio_pressure_pascals", "pascals", "Pressure.", (-1e6, 1e9)),
    ),
    quantity(
        "voltage",
        MILLI,
        gauge("edge_iio_voltage_volts", "volts", "Voltage.", VOLTS),
    ),
    quantity(
        "altvoltage",
        MILLI,
        gauge("edge_iio_ac_voltage_volts", "volts", "Alternating voltage.", VOLTS),
    ),
    quantity(
        "current",
        MILLI,
        gauge("edge_iio_current_amperes", "amperes", "Current.", AMPERES),
    ),
    quantity("power", MILLI, gauge("edge_iio_power_watts", "watts", "Power.", WATTS)),
    quantity(
        "energy",
        SAME,
        gauge("edge_iio_energy_joules", "joules", "Energy.", NOT_NEGATIVE),
    ),
    quantity(
        "resistance",
        SAME,
        gauge("edge_iio_resistance_ohms", "ohms", "Resistance.", NOT_NEGATIVE),
    ),
    // From nanofarads; of a differential channel it may be negative.
    quantity(
        "capacitance",
        (1.0, 1e9),
        gauge("edge_iio_capacitance_farads", "farads", "Capacitance.", (-1.0, 1.0)),
    ),
    // Sunlight at noon has 120,000 lx.
    quantity(
        "illuminance",
        SAME,
        gauge("edge_iio_illuminance_lux", "lux", "Illuminance.", (0.0, 1e6)),
    ),
    quantity(
        "intensity",
        SAME,
        gauge(
            "edge_iio_intensity",
            "",
            "Intensity of light (or what the channel says) without a unit.",
            NOT_NEGATIVE,
        ),
    ),
    quantity(
        "uvindex",
        SAME,
        gauge(
            "edge_iio_uv_index",
            "",
            "UV index; 11 and more is extreme.",
            (0.0, 50.0),
        ),
    ),
    quantity(
        "colortemp",
        SAME,
        gauge(
            "edge_iio_color_temperature_kelvin",
            "kelvin",
            "Colour temperature.",
            (0.0, 1e5),
        ),
    ),
    quantity(
        "cct",
        SAME,
        gauge(
            "edge_iio_color_temperature_kelvin",
            "kelvin",
            "Colour temperature.",
            (0.0, 1e5),
        ),
    ),
    // Not two metrics: nothing tells which it is. A scale makes metres of what an ISL29501 measures; those of APDS9960 and LTR501 are gains.
    quantity(
        "proximity",
        SAME,
        gauge(
            "edge_iio_proximity",
            "",
            "Proximity without a unit, of which more is closer; of some drivers the distance in metres.",
            NOT_NEGATIVE,
        ),
    ),
    quantity(
        "distance",
        SAME,
        gauge("edge_iio_distance_meters", "meters", "Distance.", NOT_NEGATIVE),
    ),
    quantity(
        "accel",
        SAME,
        gauge(
            "edge_iio_acceleration_meters_per_second_squared",
            "meters per second squared",
            "Acceleration.",
            MOTION,
        ),
    ),
    quantity(
        "gravity",
        SAME,
        gauge(
            "edge_iio_gravity_meters_per_second_squared",
            "meters per second squared",
            "Acceleration by gravity.",
            MOTION,
        ),
    ),
    quantity(
        "anglvel",
        SAME,
        gauge(
            "edge_iio_angular_velocity_radians_per_second",
            "radians per second",
            "Angular velocity.",
            MOTION,
        ),
    ),
    quantity(
        "angl",
        SAME,
        gauge("edge_iio_angle_radians", "radians", "Angle of rotation.", ANGLE),
    ),
    // From degrees, as the next one.
    quantity(
        "incli",
        DEGREES,
        gauge("edge_iio_inclination_radians", "radians", "Inclination.", ANGLE),
    ),
    quantity(
        "rot",
        DEGREES,
        gauge(
            "edge_iio_rotation_radians",
            "radians",
            "Rotation, as from north.",
            ANGLE,
        ),
    ),
    quantity(
        "velocity",
        SAME,
        gauge(
            "edge_iio_velocity_meters_per_second",
            "meters per second",
            "Velocity.",
            MOTION,
        ),
    ),
    // From gauss. The strongest magnet has 45 T.
    quantity(
        "magn",
        (1.0, 1e4),
        gauge(
            "edge_iio_magnetic_field_teslas",
            "teslas",
            "Magnetic field.",
            (-100.0, 100.0),
        ),
    ),
    quantity(
        "concentration",
        PERCENT,
        gauge(
            "edge_iio_concentration_ratio",
            "ratio",
            "Share of a gas in the air; a millionth is 1 ppm.",
            RATIO,
        ),
    ),
    // From micrograms.
    quantity(
        "massconcentration",
        (1.0, 1e6),
        gauge(
            "edge_iio_mass_concentration_grams_per_cubic_meter",
            "grams per cubic meter",
            "Mass of particles in the air.",
            (0.0, 1.0),
        ),
    ),
    quantity("ph", SAME, gauge("edge_iio_ph", "", "pH.", (-2.0, 16.0))),
    quantity(
        "electricalconductivity",
        SAME,
        gauge(
            "edge_iio_conductivity_siemens_per_meter",
            "siemens per meter",
            "Electrical conductivity.",
            NOT_NEGATIVE,
        ),
    ),
    quantity(
        "positionrelative",
        MILLI_PERCENT,
        gauge("edge_iio_position_ratio", "ratio", "Position on a pad.", (-1.0, 2.0)),
    ),
    quantity(
        "activity",
        PERCENT,
        gauge("edge_iio_activity_ratio", "ratio", "Confidence in an activity.", RATIO),
    ),
    quantity(
        "phase",
        SAME,
        gauge("edge_iio_phase_radians", "radians", "Phase.", ANGLE),
    ),
    quantity("steps", SAME, gauge("edge_iio_steps", "", "Steps taken.", NOT_NEGATIVE)),
    quantity(
        "count",
        SAME,
        gauge("edge_iio_encoder_position", "", "Position of an encoder.", ANY),
    ),
];

const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// A channel that is measured.
#[derive(Debug)]
pub struct Channel<'a> {
    /// `voltage0`, `temp_ambient`, `accel_x`, `voltage0-voltage1`.
    pub name: &'a str,
    /// What it measures.
    pub quantity: &'static Quantity,
    /// The attribute with the number.
    pub attribute: String,
    /// The attribute with the offset; none if the number is in IIO's unit already.
    pub offset: Option<String>,
    /// The attribute with the scale.
    pub scale: Option<String>,
}

impl<'a> Channel<'a> {
    /// The channels among the names of a device's attributes, in their order.
    pub fn find(attributes: &'a [String]) -> Vec<Self> {
        let has = |name: &str| attributes.binary_search_by(|other| other.as_str().cmp(name)).is_ok();
        let channels = attributes.iter().filter_map(|attribute| {
            let rest = attribute.strip_prefix("in_")?;
            let (name, is_raw) = match rest.strip_suffix("_raw") {
                Some(name) => (name, true),
                None => (rest.strip_suffix("_input")?, false),
            };
            // The driver's own value is better than ours.
            if (is_raw && has(&format!("in_{name}_input"))) || is_statistic(name) {
                return None;
            }
            let quantity = of_name(name)?;
            let find = |what| is_raw.then(|| shared(name, quantity.kind, what).into_iter().find(|file| has(file)));
            Some(Self {
                name,
                quantity,
                attribute: attribute.clone(),
                offset: find("offset").flatten(),
                scale: find("scale").flatten(),
            })
        });
        channels.collect()
    }
}

/// What the driver remembers of a channel, or how well it is calibrated: not what it measures.
fn is_statistic(name: &str) -> bool {
    ["_peak", "_trough", "_mean", "_quadrature_correction", "_quaternion"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What a channel of that name measures: a type, then a number, a modifier, or the other input of a difference.
fn of_name(name: &str) -> Option<&'static Quantity> {
    QUANTITIES.iter().find(|quantity| {
        let rest = name.strip_prefix(quantity.kind);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}

/// Where the offset or the scale of a channel can be, the nearest first: with the channel itself, shared by those of its type (and modifier, or
/// by all differences), by all inputs, by all.
fn shared(name: &str, kind: &str, what: &str) -> [String; 6] {
    let without_numbers: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    let without_modifier = name.split('_').next().unwrap_or(name);
    [
        format!("in_{name}_{what}"),
        format!("in_{without_modifier}_{what}"),
        format!("in_{without_numbers}_{what}"),
        format!("in_{kind}_{what}"),
        format!("in_{what}"),
        what.to_owned(),
    ]
}
