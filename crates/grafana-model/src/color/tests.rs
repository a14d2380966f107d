use super::*;

#[test]
fn names_and_notations_become_hex() {
    for (name, expected) in [
        ("green", "#73bf69"),
        ("dark-red", "#c4162a"),
        ("#F2495C", "#f2495c"),
        ("#abc", "#aabbcc"),
        ("#f2495c80", "#f2495c"),
        ("rgba(50, 172, 45, 0.97)", "#32ac2d"),
        ("rgb(1,2,3)", "#010203"),
        ("rgba(0,0,0,0)", "transparent"),
        ("transparent", "transparent"),
        ("White", "#ffffff"),
        ("text", "#ccccdc"),
        ("tomato", "#ff6347"),
        ("", FALLBACK),
        ("url(javascript:alert(1))", "#000000"),
        ("#12", "#000000"),
        ("rgb(1,2)", "#000000"),
    ] {
        assert_eq!(hex(name), expected, "{name}");
    }
}

#[test]
fn the_palette_goes_round() {
    assert_eq!((palette(0), palette(1)), (hex("green"), hex("semi-dark-yellow")));
    assert_eq!(palette(64), palette(0));
    assert!((0..64).all(|index| rgb(&palette(index)).is_some()));
    assert_eq!(
        (&*palette_by_name("eth0"), &*palette_by_name("lo")),
        ("#aea2e0", "#cffaff")
    );
}

#[test]
fn schemes_start_and_end_at_their_colours() {
    assert_eq!(continuous("continuous-GrYlRd", 0.0), Some(hex("green")));
    assert_eq!(continuous("continuous-GrYlRd", 1.0), Some(hex("red")));
    assert_eq!(continuous("continuous-viridis", 0.5).as_deref(), Some("#21918c"));
    assert_eq!(continuous("continuous-viridis", f64::NAN).as_deref(), Some("#440154"));
    assert_eq!(continuous("thresholds", 0.5), None);
}

#[test]
fn every_scheme_of_grafana_has_its_shades() {
    for (scheme, share, color) in [
        ("continuous-viridis", 0.05, "#471365"),
        ("continuous-magma", 0.05, "#06051a"),
        ("continuous-plasma", 0.05, "#2a0593"),
        ("continuous-inferno", 0.075, "#0e092b"),
        ("continuous-cividis", -0.05, "#002051"),
    ] {
        assert_eq!(continuous(scheme, share).as_deref(), Some(color), "{scheme}");
    }
}

#[test]
fn the_light_theme_has_colours_of_its_own() {
    assert_eq!(for_light(&hex("text")), Some("#24292e"));
    assert_eq!(for_light(&hex("panel-bg")), Some("#ffffff"));
    assert_eq!(for_light(&hex("green")), Some("#56a64b"));
    assert_eq!(for_light("#123456"), None);
}
