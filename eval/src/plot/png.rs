//! An SVG as PNG, for where no SVG is shown.

use std::sync::Arc;

use anyhow::{Context, Result};
use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};

/// Pixels for each of the SVG's, so that it is sharp on screens of today.
const SCALE: u8 = 2;

/// A picture, and whether text could be drawn.
pub(super) struct Picture {
    pub(super) bytes: Vec<u8>,
    pub(super) has_fonts: bool,
}

/// Draws `svg` on white ground, with the fonts of this machine.
pub(super) fn of(svg: &str) -> Result<Picture> {
    with(svg, fonts())
}

fn with(svg: &str, fonts: fontdb::Database) -> Result<Picture> {
    let has_fonts = !fonts.is_empty();
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).context("a plot is no SVG")?;
    let scale = f32::from(SCALE);
    let size = tree.size().to_int_size().scale_by(scale).context("a plot without size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("a plot without size")?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(Picture { bytes: pixels.encode_png()?, has_fonts })
}

/// Those of this machine. Plots ask for `sans-serif`, which not every machine has a font for: then any is
/// taken.
fn fonts() -> fontdb::Database {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    let asked = fontdb::Query { families: &[fontdb::Family::SansSerif], ..fontdb::Query::default() };
    if fonts.query(&asked).is_none() {
        let sans = |face: &&fontdb::FaceInfo| {
            !face.monospaced && face.families.iter().any(|(name, _)| name.contains("Sans"))
        };
        let face = fonts.faces().find(sans).or_else(|| fonts.faces().next());
        if let Some((family, _)) = face.and_then(|face| face.families.first()).cloned() {
            fonts.set_sans_serif_family(family);
        }
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_fonts_there_is_a_picture_still() {
        let svg = r##"<svg width="2" height="1" xmlns="http://www.w3.org/2000/svg">
            <rect width="1" height="1" fill="#ff0000"/><text>a</text></svg>"##;
        let picture = with(svg, fontdb::Database::new()).unwrap();
        assert!(!picture.has_fonts);
        let pixels = Pixmap::decode_png(&picture.bytes).unwrap();
        let colour = |x| pixels.pixel(x, 0).map(|colour| [colour.red(), colour.green(), colour.blue()]);
        assert_eq!((colour(0), colour(3)), (Some([255, 0, 0]), Some([255, 255, 255])));
    }
}
