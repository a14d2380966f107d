//! What people have in their cabinets: trees as the kernel's documentation and drivers describe them, and what each value must be.

use crate::common;

use common::{Service, assert_promtool_agrees, tree};

/// The files of a board, and series with their values.
struct Board {
    name: &'static str,
    files: &'static str,
    expected: &'static [(&'static str, f64)],
}

const BOARDS: [Board; 6] = [
    Board {
        name: "a Raspberry Pi 5 with a PoE+ HAT, a fan and an NVMe disk",
        files: "\
sys/class/thermal/thermal_zone0/type cpu-thermal
sys/class/thermal/thermal_zone0/temp 52300
sys/class/hwmon/hwmon0 -> sys/devices/platform/axi/1000120000.pcie/1f000c8000.adc/hwmon/hwmon0
sys/devices/platform/axi/1000120000.pcie/1f000c8000.adc/hwmon/hwmon0/device -> sys/devices/platform/axi/1000120000.pcie/1f000c8000.adc
sys/devices/platform/axi/1000120000.pcie/1f000c8000.adc/hwmon/hwmon0/
 name rp1_adc
 in1_input 1454
 in2_input 2545
 in3_input 1401
 in4_input 1432
 temp1_input 46923
sys/class/hwmon/hwmon1 -> sys/devices/platform/cooling_fan/hwmon/hwmon1
sys/devices/platform/cooling_fan/hwmon/hwmon1/device -> sys/devices/platform/cooling_fan
sys/devices/platform/cooling_fan/hwmon/hwmon1/
 name pwmfan
 fan1_input 2480
 pwm1 75
 pwm1_enable 1
sys/class/hwmon/hwmon2/name rpi_volt
sys/class/hwmon/hwmon2/in0_lcrit_alarm 0
sys/class/hwmon/hwmon3 -> sys/devices/pci0001/nvme/nvme0/hwmon3
sys/devices/pci0001/nvme/nvme0/hwmon3/device -> sys/devices/pci0001/nvme/nvme0
sys/devices/pci0001/nvme/nvme0/hwmon3/
 name nvme
 temp1_input 38850
 temp1_max 81850
 temp1_crit 84850
 temp1_alarm 0
 temp1_label Composite
sys/bus/platform/drivers/raspberrypi-firmware/soc@107c000000:firmware -> sys/devices/platform/soc@107c000000/soc@107c000000:firmware
sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled 50000
sys/class/power_supply/rpi-poe/
 type Mains
 online 1
 current_now 412000
 current_max 2500000
sys/class/rtc/rtc0/
 name rpi-rtc soc@107c000000:rpi_rtc
 battery_voltage 3012345
 charging_voltage 0
",
        expected: &[
            ("node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}", 52.3),
            ("node_hwmon_in_volts{chip=\"1000120000_pcie_1f000c8000_adc\",sensor=\"in2\"}", 2.545),
            ("node_hwmon_temp_celsius{chip=\"1000120000_pcie_1f000c8000_adc\",sensor=\"temp1\"}", 46.923),
            ("node_hwmon_fan_rpm{chip=\"platform_cooling_fan\",sensor=\"fan1\"}", 2480.0),
            ("node_hwmon_pwm{chip=\"platform_cooling_fan\",sensor=\"pwm1\"}", 75.0),
            ("node_hwmon_temp_celsius{chip=\"nvme_nvme0\",sensor=\"temp1\"}", 38.85),
            ("node_hwmon_temp_crit_celsius{chip=\"nvme_nvme0\",sensor=\"temp1\"}", 84.85),
            ("edge_rpi_undervoltage", 0.0),
            // That it was so since the start is in the high bits, which the kernel clears.
            ("edge_rpi_throttled{reason=\"undervoltage\"}", 0.0),
            ("node_power_supply_current_ampere{power_supply=\"rpi-poe\"}", 0.412),
            ("node_power_supply_current_max{power_supply=\"rpi-poe\"}", 2.5),
            ("edge_rtc_battery_volts{rtc=\"rtc0\"}", 3.012345),
        ],
    },
    Board {
        name: "a Raspberry Pi Zero 2 W with two DS18B20 and a BME280",
        files: "\
sys/class/thermal/thermal_zone0/type cpu-thermal
sys/class/thermal/thermal_zone0/temp 41856
sys/bus/w1/devices/28-0316a2795e3f/w1_slave 57 01 4b 46 7f ff 0c 10 2c : crc=2c YES\\n57 01 4b 46 7f ff 0c 10 2c t=21437
sys/bus/w1/devices/28-0416a2795e3f/temperature -5062
sys/bus/iio/devices/iio:device0 -> sys/devices/platform/soc/3f804000.i2c/i2c-1/1-0076/iio:device0
sys/devices/platform/soc/3f804000.i2c/i2c-1/1-0076/iio:device0/
 name bme280
 in_temp_input 22340
 in_pressure_input 100.325000000
 in_humidityrelative_input 41201
sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq 600000
",
        expected: &[
            ("node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}", 41.856),
            ("edge_w1_temperature_celsius{id=\"28-0316a2795e3f\"}", 21.437),
            ("edge_w1_temperature_celsius{id=\"28-0416a2795e3f\"}", -5.062),
            ("edge_w1_suspect{id=\"28-0416a2795e3f\"}", 0.0),
            ("edge_iio_temperature_celsius{device=\"i2c_1_1_0076\",channel=\"temp\"}", 22.34),
            ("edge_iio_pressure_pascals{device=\"i2c_1_1_0076\",channel=\"pressure\"}", 100_325.0),
            ("edge_iio_humidity_ratio{device=\"i2c_1_1_0076\",channel=\"humidityrelative\"}", 0.41201),
            ("node_cpu_scaling_frequency_hertz{cpu=\"0\"}", 6e8),
        ],
    },
    Board {
        name: "a board with a Rockchip and an eMMC",
        files: "\
sys/class/thermal/thermal_zone0/type soc-thermal
sys/class/thermal/thermal_zone0/temp 45000
sys/class/thermal/thermal_zone1/type gpu-thermal
sys/class/thermal/thermal_zone1/temp 44444
sys/class/thermal/cooling_device0/
 type cpufreq-cpu0
 cur_state 2
 max_state 6
sys/class/devfreq/fb000000.gpu/
 cur_freq 200000000
 max_freq 1000000000
sys/class/block/mmcblk0/device/
 type MMC
 name A3A551
 manfid 0x000088
 oemid 0x0103
 date 09/2022
 life_time 0x02 0x01
 pre_eol_info 0x01
sys/fs/ext4/mmcblk0p1/errors_count 3
sys/fs/ext4/mmcblk0p1/lifetime_write_kbytes 1048576
sys/devices/system/cpu/cpu4/cpufreq/scaling_cur_freq 2208000
",
        expected: &[
            ("node_thermal_zone_temp{zone=\"0\",type=\"soc-thermal\"}", 45.0),
            ("node_thermal_zone_temp{zone=\"1\",type=\"gpu-thermal\"}", 44.444),
            ("node_cooling_device_cur_state{name=\"0\",type=\"cpufreq-cpu0\"}", 2.0),
            ("edge_devfreq_frequency_hertz{device=\"fb000000.gpu\"}", 2e8),
            // 10 to 20 % are used of one kind of cells, less than 10 of the other.
            ("edge_mmc_life_used_ratio{device=\"mmcblk0\",type=\"a\"}", 0.2),
            ("edge_mmc_life_used_ratio{device=\"mmcblk0\",type=\"b\"}", 0.1),
            ("edge_mmc_pre_eol_state{device=\"mmcblk0\"}", 1.0),
            ("edge_ext4_errors_total{device=\"mmcblk0p1\"}", 3.0),
            ("edge_ext4_lifetime_written_bytes_total{device=\"mmcblk0p1\"}", 1_073_741_824.0),
            ("node_cpu_scaling_frequency_hertz{cpu=\"4\"}", 2_208_000_000.0),
        ],
    },
    Board {
        name: "a UPS HAT with an INA219, and one with an INA226",
        files: "\
sys/class/hwmon/hwmon0 -> sys/devices/i2c-1/1-0042/hwmon/hwmon0
sys/devices/i2c-1/1-0042/hwmon/hwmon0/device -> sys/devices/i2c-1/1-0042
sys/devices/i2c-1/1-0042/hwmon/hwmon0/
 name ina219
 in0_input 8
 in1_input 8124
 curr1_input -812
 power1_input 6580000
 shunt_resistor 10000
sys/class/hwmon/hwmon1 -> sys/devices/i2c-1/1-0041/hwmon/hwmon1
sys/devices/i2c-1/1-0041/hwmon/hwmon1/device -> sys/devices/i2c-1/1-0041
sys/devices/i2c-1/1-0041/hwmon/hwmon1/
 name ina226
 in1_input 5020
 in1_lcrit 4700
 in1_lcrit_alarm 1
 curr1_input 350
 curr1_crit 3000
 curr1_crit_alarm 0
 power1_input 1757000
",
        expected: &[
            ("node_hwmon_in_volts{chip=\"i2c_1_1_0042\",sensor=\"in0\"}", 0.008),
            ("node_hwmon_in_volts{chip=\"i2c_1_1_0042\",sensor=\"in1\"}", 8.124),
            ("node_hwmon_curr_amps{chip=\"i2c_1_1_0042\",sensor=\"curr1\"}", -0.812),
            ("node_hwmon_power_watt{chip=\"i2c_1_1_0042\",sensor=\"power1\"}", 6.58),
            ("node_hwmon_in_lcrit_volts{chip=\"i2c_1_1_0041\",sensor=\"in1\"}", 4.7),
            ("edge_hwmon_alarm{chip=\"i2c_1_1_0041\",sensor=\"in1\",kind=\"lcrit_alarm\"}", 1.0),
            ("node_hwmon_curr_crit_amps{chip=\"i2c_1_1_0041\",sensor=\"curr1\"}", 3.0),
        ],
    },
    Board {
        name: "what measures air and water",
        files: "\
sys/bus/iio/devices/iio:device0 -> sys/devices/i2c-1/1-0069/iio:device0
sys/devices/i2c-1/1-0069/iio:device0/
 name sps30
 in_massconcentration_pm1_input 3.21
 in_massconcentration_pm2p5_input 5.5
 in_massconcentration_pm4_input 6.25
 in_massconcentration_pm10_input 7
sys/bus/iio/devices/iio:device1 -> sys/devices/i2c-1/1-0062/iio:device1
sys/devices/i2c-1/1-0062/iio:device1/
 name scd4x
 in_concentration_co2_raw 825
 in_concentration_co2_scale 0.000100000
 in_temp_raw 26500
 in_temp_offset -16852
 in_temp_scale 2.670329
 in_humidityrelative_raw 33000
 in_humidityrelative_scale 1.525902
sys/bus/iio/devices/iio:device2 -> sys/devices/i2c-1/1-0063/iio:device2
sys/devices/i2c-1/1-0063/iio:device2/
 name atlas-ph-sm
 in_ph_raw 7120
 in_ph_scale 0.001
sys/bus/iio/devices/iio:device3 -> sys/devices/i2c-1/1-0023/iio:device3
sys/devices/i2c-1/1-0023/iio:device3/
 name bh1750
 in_illuminance_raw 240
 in_illuminance_scale 0.833333
",
        expected: &[
            ("edge_iio_mass_concentration_grams_per_cubic_meter{device=\"i2c_1_1_0069\",channel=\"massconcentration_pm1\"}", 3.21e-6),
            ("edge_iio_mass_concentration_grams_per_cubic_meter{device=\"i2c_1_1_0069\",channel=\"massconcentration_pm2p5\"}", 5.5e-6),
            ("edge_iio_mass_concentration_grams_per_cubic_meter{device=\"i2c_1_1_0069\",channel=\"massconcentration_pm4\"}", 6.25e-6),
            ("edge_iio_mass_concentration_grams_per_cubic_meter{device=\"i2c_1_1_0069\",channel=\"massconcentration_pm10\"}", 7e-6),
            ("edge_iio_concentration_ratio{device=\"i2c_1_1_0062\",channel=\"concentration_co2\"}", 0.000825),
            ("edge_iio_temperature_celsius{device=\"i2c_1_1_0062\",channel=\"temp\"}", 25.763_334),
            ("edge_iio_humidity_ratio{device=\"i2c_1_1_0062\",channel=\"humidityrelative\"}", 0.503_548),
            ("edge_iio_ph{device=\"i2c_1_1_0063\",channel=\"ph\"}", 7.12),
            ("edge_iio_illuminance_lux{device=\"i2c_1_1_0023\",channel=\"illuminance\"}", 200.0),
        ],
    },
    Board {
        name: "a gateway that counts pulses and was reset by its watchdog",
        files: "\
sys/bus/counter/devices/counter0/name interrupt-cnt
sys/bus/counter/devices/counter0/count0/
 name IRQ 57
 function increase
 count 12345
sys/class/watchdog/watchdog0/
 identity imx2+ watchdog
 state active
 bootstatus 32
 timeout 60
sys/class/net/wwan0/
 operstate up
 flags 0x1
 type 65534
proc/net/dev Inter-|   Receive                                                |  Transmit\\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\\n wwan0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0
sys/class/leds/gateway:green:wan/
 brightness 1
 max_brightness 255
",
        expected: &[
            ("edge_pulses_total{device=\"counter0\",count=\"count0\",name=\"IRQ 57\"}", 12_345.0),
            ("node_watchdog_bootstatus{name=\"watchdog0\"}", 32.0),
            ("node_watchdog_timeout_seconds{name=\"watchdog0\"}", 60.0),
            ("node_network_receive_bytes_total{device=\"wwan0\"}", 1000.0),
            ("edge_led_brightness_ratio{led=\"gateway:green:wan\"}", 1.0 / 255.0),
        ],
    },
];

#[test]
fn what_a_board_has_is_exported_with_the_right_value() {
    let mut wrong = Vec::new();
    for board in &BOARDS {
        let directory = tempfile::tempdir().unwrap();
        tree::unpack(board.files, directory.path());
        let settings = format!(
            "collect = \"full\"\n[paths]\nprocfs = {:?}\nsysfs = {:?}\n",
            directory.path().join("proc"),
            directory.path().join("sys")
        );
        let metrics = Service::start(&settings).metrics();
        assert_promtool_agrees(board.name, &metrics);
        for (series, expected) in board.expected {
            let value = common::value_of(&metrics, series);
            if !value.is_some_and(|value| (value - expected).abs() <= expected.abs() * 1e-6) {
                wrong.push(format!("{}: {series} is {value:?}, should be {expected}", board.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
