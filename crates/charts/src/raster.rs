//! Pictures as PNG. A picture is drawn in strips, so that its pixels never lie in memory all at once.

use std::io::Write;
use std::sync::Arc;

use png::{BitDepth, ColorType, Compression, Encoder};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Group, Node, Options, Tree};

use edgewatch_program::error::CommandFailure;

/// Lines of a strip, at least.
const STRIP: u32 = 64;

/// What a picture may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pixels of a strip. Each takes 4 bytes, several times over where parts are cut off within each other.
    pub strip: u64,
    /// Bytes of the SVG. What is made of it takes some twenty times as much.
    pub svg: usize,
}

impl Limits {
    /// For a command, which has the machine's memory.
    pub const COMMAND: Self = Self {
        strip: 32 << 20,
        svg: 64 << 20,
    };
    /// For the program that shows dashboards, whose memory is 24 MiB in all.
    pub const SERVICE: Self = Self {
        strip: 512 << 10,
        svg: 192 << 10,
    };
}
/// Pixels in one direction. Beyond, nobody could look at it.
const MAX_PIXELS: u32 = 16_384;

/// Writes the SVG picture `svg` as PNG, `scale` times as large. The background must be opaque. Text has the font that comes with
/// edgewatch, which knows the Latin, Greek and Cyrillic scripts.
///
/// # Errors
/// The picture is too large, or `out` does not take it.
pub fn png(svg: &str, scale: f32, limits: Limits, out: impl Write) -> Result<(), CommandFailure> {
    let fail = |why: &dyn std::fmt::Display| CommandFailure::because("cannot draw the picture", why);
    if svg.len() > limits.svg {
        return Err(fail(&format!(
            "it has {} KiB as SVG, {} are allowed: choose fewer panels or a shorter range",
            svg.len() >> 10,
            limits.svg >> 10
        )));
    }
    let tree = Tree::from_str(svg, &options()).map_err(|error| fail(&error))?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(scale)
        .ok_or_else(|| fail(&"it is empty"))?;
    let (width, height) = (size.width(), size.height());
    // What is cut off at its edges is drawn apart and then cut again to five times the strip, two of them above it; where that
    // happens thrice within each other, the library loses what lies below. So no such part may begin further above.
    let strip = STRIP
        .max((tallest(tree.root()) * scale / 2.0).ceil() as u32 + 2)
        .min(height);
    if width.max(height) > MAX_PIXELS || u64::from(width) * u64::from(strip) > limits.strip {
        return Err(fail(&format!(
            "{width} by {height} pixels are too many: choose a smaller size or scale"
        )));
    }
    let mut encoder = Encoder::new(out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().map_err(|error| fail(&error))?;
    let mut stream = writer.stream_writer().map_err(|error| fail(&error))?;
    let mut pixmap = Pixmap::new(width, strip).ok_or_else(|| fail(&"it is empty"))?;
    for top in (0..height).step_by(strip as usize) {
        pixmap.fill(Color::WHITE);
        let place = Transform::from_scale(scale, scale).post_translate(0.0, -(top as f32));
        resvg::render(&tree, place, &mut pixmap.as_mut());
        let lines = strip.min(height - top);
        let pixels = pixmap.pixels().iter().take((width * lines) as usize);
        let bytes: Vec<u8> = pixels
            .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
            .collect();
        stream.write_all(&bytes).map_err(|error| fail(&error))?;
    }
    stream.finish().map_err(|error| fail(&error))?;
    writer.finish().map_err(|error| fail(&error))
}

/// The height of the tallest part that is drawn apart.
fn tallest(group: &Group) -> f32 {
    let own = match group.should_isolate() {
        true => group.abs_layer_bounding_box().height(),
        false => 0.0,
    };
    let inner = group.children().iter().map(|node| match node {
        Node::Group(group) => tallest(group),
        Node::Path(_) | Node::Image(_) | Node::Text(_) => 0.0,
    });
    inner.fold(own, f32::max)
}

/// One font for every family, since what the device has installed is unknown, and pictures are to be the same everywhere.
fn options() -> Options<'static> {
    let mut fonts = Database::new();
    fonts.load_font_source(Source::Binary(Arc::new(epaint_default_fonts::UBUNTU_LIGHT)));
    let family = fonts
        .faces()
        .next()
        .and_then(|face| face.families.first())
        .map(|(name, _)| name.clone())
        .unwrap_or_default();
    fonts.set_sans_serif_family(&family);
    fonts.set_serif_family(&family);
    fonts.set_monospace_family(&family);
    Options {
        font_family: family,
        fontdb: Arc::new(fonts),
        ..Options::default()
    }
}
