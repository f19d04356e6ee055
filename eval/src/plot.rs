//! What plots have in common. Nothing is drawn behind them, and their colours are in the middle between
//! light and dark, so that they can be read on both.

mod confusion;
mod png;
mod risk_coverage;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use plotters::{
    coord::Shift,
    prelude::{DrawingArea, IntoDrawingArea, IntoFont, RGBAColor, RGBColor, SVGBackend},
    style::{
        FontStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use self::{confusion::confusion, risk_coverage::risk_coverage};
use crate::figures::Figures;

/// Pixels.
pub(crate) const ROW: u32 = 24;
pub(crate) const MARGIN: i32 = 10;
const FONT: u32 = 15;

const TEXT: RGBColor = RGBColor(0x80, 0x80, 0x80);
pub(crate) const LINE: RGBAColor = RGBAColor(0x80, 0x80, 0x80, 0.3);
pub(crate) const OURS: RGBColor = RGBColor(0x3b, 0x82, 0xf6);
pub(crate) const OTHERS: RGBColor = RGBColor(0xd9, 0x77, 0x06);

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Text that lies on this side of its place, and on the line through it.
pub(crate) fn text(side: HPos) -> TextStyle<'static> {
    ("sans-serif", FONT).into_font().color(&TEXT).pos(Pos::new(side, VPos::Center))
}

/// Text that names others.
pub(crate) fn heading(side: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", FONT).into_font().style(FontStyle::Bold);
    font.color(&TEXT).pos(Pos::new(side, VPos::Center))
}

/// The SVG, so many pixels wide and high, of what `draw` draws.
pub(crate) fn drawn(size: (u32, u32), draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(svg)
}

/// Draws into `folder` where the questions of `figures` went, and the risk of each way to route.
pub(crate) fn routing(folder: &Path, figures: &Figures) -> Result<()> {
    if let Some(counts) = &figures.confusion {
        write(folder, "confusion", &confusion(counts)?)?;
    }
    let told = figures.side_by_side.iter().filter(|row| !row.curve.is_empty());
    let curves: Vec<_> = told.map(|row| (row.name.as_str(), row.curve.clone())).collect();
    write(folder, "risk-coverage", &risk_coverage(&curves)?)
}

/// Writes `name.svg` and `name.png` into `folder`, which is made where it is missing. Where this machine has
/// no fonts, the second goes without its text, and standard error says so.
fn write(folder: &Path, name: &str, svg: &str) -> Result<()> {
    let picture = png::of(svg)?;
    let [vector, raster] = ["svg", "png"].map(|kind| folder.join(format!("{name}.{kind}")));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&vector, svg))
        .and_then(|()| fs::write(&raster, &picture.bytes))
        .with_context(|| format!("cannot write plots into {}: choose another folder", folder.display()))?;
    if !picture.has_fonts {
        let said = format!("{} has no text: install a font, or look at the .svg\n", raster.display());
        io::stderr().lock().write_all(said.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::{
        domains::Confusion,
        selective::{Accepted, Sample, risk_coverage as curve},
    };

    /// A plot lies beside its picture, which is as large as it says, on white ground.
    #[test]
    fn a_plot_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let counts = Confusion::of([(Some("tax"), Some("tax")), (Some("tax"), Some("wine")), (None, None)]);
        let inner = folder.path().join("made/for/it");
        write(&inner, "went", &confusion(&counts).unwrap()).unwrap();
        let svg = fs::read_to_string(inner.join("went.svg")).unwrap();
        assert!(svg.contains("wine") && svg.contains("nobody") && svg.contains("50.0 % of 2"), "{svg}");
        let png = fs::read(inner.join("went.png")).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert!(svg.contains(&format!(
            "width=\"{}\" height=\"{}\"",
            pixels.width() / 2,
            pixels.height() / 2
        )));
        assert_eq!(
            pixels.pixel(0, 0).unwrap().demultiply(),
            resvg::tiny_skia::ColorU8::from_rgba(255, 255, 255, 255)
        );
    }

    #[test]
    fn every_curve_is_named() {
        let samples =
            (0..1_000).map(|at| Sample { confidence: f64::from(-at), right: at % 7 < 5, weight: 1.0 });
        let sure = vec![Accepted { coverage: 1.0, risk: 0.0 }];
        let svg =
            risk_coverage(&[("ours", curve(samples)), ("theirs", sure), ("silent", Vec::new())]).unwrap();
        assert!(["ours", "theirs", "silent"].iter().all(|name| svg.contains(name)), "{svg}");
        assert!(svg.len() < 40_000, "a long curve is thinned out: {} bytes", svg.len());
    }

    #[test]
    fn too_many_domains_are_refused() {
        let names: Vec<String> = (0..200).map(|at| at.to_string()).collect();
        let counts = Confusion::of(names.iter().map(|name| (Some(name.as_str()), Some(name.as_str()))));
        assert!(confusion(&counts).unwrap_err().to_string().contains("200"));
    }
}
