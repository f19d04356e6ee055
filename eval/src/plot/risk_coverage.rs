//! How often a router is wrong where it answers only what it is surest of.

use anyhow::Result;
use plotters::{
    prelude::{ChartBuilder, PathElement, Text},
    style::{Color, FontTransform, RGBAColor, RGBColor, text_anchor::HPos},
};

use super::{LINE, MARGIN, OTHERS, OURS, ROW, drawn, text};
use crate::measures::selective::Accepted;

/// Pixels.
const SIZE: (u32, u32) = (800, 420);
const LABELS: u32 = 80;

/// How many points a curve is drawn through.
const POINTS_MAX: usize = 400;

/// From which coverage on a curve is drawn: below, a few questions make any risk.
const COVERAGE_MIN: f64 = 0.02;

/// Ours is the first.
const COLOURS: [RGBColor; 5] =
    [OURS, OTHERS, RGBColor(0xa8, 0x55, 0xf7), RGBColor(0x22, 0xa3, 0x5a), RGBColor(0x9a, 0x9a, 0x9a)];

/// The curve of each name, ours first, all in one plot: the lower, the better.
pub(crate) fn risk_coverage(curves: &[(&str, Vec<Accepted>)]) -> Result<String> {
    let risks = curves.iter().flat_map(|(_, curve)| shown(curve)).map(|point| point.risk);
    let high = (1.1 * risks.fold(0.01, f64::max)).min(1.0);
    let legend = ROW * u32::try_from(curves.len())?;
    drawn((SIZE.0, SIZE.1 + legend), |area| {
        let (names, plot) = area.split_vertically(legend + ROW / 2);
        let mut chart = ChartBuilder::on(&plot)
            .margin(MARGIN)
            .margin_right(3 * MARGIN)
            .x_label_area_size(2 * ROW)
            .y_label_area_size(LABELS)
            .build_cartesian_2d(0.0..1.0, 0.0..high)?;
        let percent = |share: &f64| {
            format!("{:.1}", 100.0 * share).trim_end_matches('0').trim_end_matches('.').to_owned() + " %"
        };
        chart
            .configure_mesh()
            .x_desc("coverage: share of the questions that is accepted")
            .x_label_formatter(&percent)
            .y_label_formatter(&percent)
            .axis_style(LINE)
            .bold_line_style(LINE)
            .light_line_style(RGBAColor(0, 0, 0, 0.0))
            .label_style(text(HPos::Center))
            .axis_desc_style(text(HPos::Center))
            .draw()?;
        for (at, ((name, curve), colour)) in (0..).zip(curves.iter().zip(COLOURS.iter().cycle())) {
            let line = colour.stroke_width(2);
            let points = shown(curve).map(|point| (point.coverage, point.risk));
            chart.draw_series([PathElement::new(points.collect::<Vec<_>>(), line)])?;
            let (left, middle) = (LABELS.cast_signed(), (2 * at + 1) * ROW.cast_signed() / 2 + MARGIN);
            names.draw(&PathElement::new([(left, middle), (left + 24, middle)], line))?;
            names.draw(&Text::new(*name, (left + 32, middle), text(HPos::Left)))?;
        }
        let upright = text(HPos::Center).transform(FontTransform::Rotate270);
        let middle = i32::try_from(SIZE.1 / 2)? - MARGIN;
        plot.draw(&Text::new("risk: share of those that went wrong", (2 * MARGIN, middle), upright))?;
        Ok(())
    })
}

/// At most [`POINTS_MAX`] of the points that are drawn, the last one among them.
fn shown(curve: &[Accepted]) -> impl Iterator<Item = &Accepted> {
    let step = curve.len().div_ceil(POINTS_MAX).max(1);
    curve.iter().rev().step_by(step).take_while(|point| point.coverage >= COVERAGE_MIN)
}
