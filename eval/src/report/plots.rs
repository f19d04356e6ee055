//! The plots of records, as SVG.

use anyhow::{Result, anyhow};
use plotters::{
    chart::MeshStyle,
    coord::{
        ranged1d::{AsRangedCoord, Ranged, ValueFormatter},
        types::RangedCoordf64,
    },
    prelude::{
        ChartBuilder, Circle, IntoLogRange, PathElement, RGBAColor, RGBColor, Rectangle, SVGBackend, Text,
    },
    style::{Color, text_anchor::HPos},
};

use crate::{
    plot::{self, Area, LINE, MARGIN, OTHERS, OURS, ROW, heading, text},
    speed::{Encode, Figures},
    statistics::Estimate,
};

/// Pixels.
const WIDTH: u32 = 800;
const LABELS: u32 = 200;

/// Of stages, in their order.
const STAGES: [RGBColor; 5] =
    [RGBColor(0xa8, 0x55, 0xf7), OURS, RGBColor(0x22, 0xa3, 0x5a), OTHERS, RGBColor(0x9a, 0x9a, 0x9a)];

/// Where the plot `kind` of the record `name` lies in the documents' folder.
pub(super) fn path(name: &str, kind: &str) -> String {
    format!("performance/{name}-{kind}.svg")
}

/// Milliseconds of each engine and work, on a logarithmic scale.
pub(super) fn encode(figures: &Figures) -> Result<String> {
    let rows = rows(figures, |encode| encode.ms);
    let low = rows.iter().filter_map(Row::low).fold(f64::INFINITY, f64::min);
    let high = rows.iter().filter_map(Row::high).fold(0.0, f64::max);
    drawn(rows.len() + 3, |area| dots(area, (low / 1.5..high * 3.0).log_scale(), "milliseconds", &rows))
}

/// The share of the machine's limit that each engine reaches.
pub(super) fn limit(figures: &Figures) -> Result<String> {
    let rows = rows(figures, |encode| encode.limit_share);
    let high = rows.iter().filter_map(Row::high).fold(1.0, f64::max);
    drawn(rows.len() + 3, |area| dots(area, 0.0..high * 1.25, "share of the machine's limit", &rows))
}

/// The stages of a route, one after another, in a bar, and how long each takes.
pub(super) fn stages(figures: &Figures) -> Result<String> {
    let named = figures.stages_us.named();
    let (route, stages) = named.split_last().ok_or_else(|| anyhow!("a route has no stages"))?;
    let rest = (route.1.value - stages.iter().map(|(_, time)| time.value).sum::<f64>()).max(0.0);
    let shown = stages.iter().map(|(name, time)| (*name, time.value, time.to_string()));
    let rest = ("to the thread and back", rest, format!("{rest:.1}"));
    let stages: Vec<_> = shown.chain([rest]).zip(STAGES).collect();
    drawn(stages.len() + 6, |area| {
        let (bar, legend) = area.split_vertically(5 * ROW);
        let end = stages.iter().map(|((_, time, _), _)| time).sum::<f64>();
        let mut chart = ChartBuilder::on(&bar)
            .margin(2 * MARGIN)
            .x_label_area_size(2 * ROW)
            .build_cartesian_2d(0.0..end, 0.0..1.0)?;
        axis(&mut chart.configure_mesh(), "microseconds")?;
        let mut from = 0.0;
        for (at, ((name, time, shown), colour)) in (0..).zip(&stages) {
            chart.draw_series([Rectangle::new([(from, 0.15), (from + time, 0.85)], colour.filled())])?;
            from += time;
            let (left, middle) = (2 * MARGIN, at * ROW.cast_signed() + ROW.cast_signed() / 2);
            let square = [(left, middle - 6), (left + 12, middle + 6)];
            legend.draw(&Rectangle::new(square, colour.filled()))?;
            legend.draw(&Text::new(
                format!("{name}: {shown} microseconds"),
                (left + 20, middle),
                text(HPos::Left),
            ))?;
        }
        Ok(())
    })
}

/// A line of a plot: a number, or the heading of those below.
struct Row<'a> {
    label: &'a str,
    estimate: Option<Estimate>,
    ours: bool,
}

impl Row<'_> {
    fn low(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.low)
    }

    fn high(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.high)
    }
}

/// Each work, and below it each engine.
fn rows(figures: &Figures, number: fn(&Encode) -> Estimate) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut before = "";
    for encode in &figures.encode {
        if encode.work != before {
            before = &encode.work;
            rows.push(Row { label: before, estimate: None, ours: false });
        }
        let ours = encode.engine == figures.engine;
        rows.push(Row { label: &encode.engine, estimate: Some(number(encode)), ours });
    }
    rows
}

/// A dot for each number, with its interval, beside its label.
fn dots<X>(area: &Area, range: X, name: &str, rows: &[Row]) -> Result<()>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let lowest = u32::try_from(rows.len()).map(f64::from)?;
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .x_label_area_size(2 * ROW)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(range, lowest..0.0)?;
    axis(&mut chart.configure_mesh(), name)?;
    for (at, Row { label, estimate, ours }) in (0..).zip(rows) {
        let y = f64::from(at) + 0.5;
        let left = LABELS.cast_signed();
        let Some(Estimate { value, low, high }) = *estimate else {
            let middle = chart.backend_coord(&(1.0, y)).1;
            area.draw(&Text::new(*label, (MARGIN, middle), heading(HPos::Left)))?;
            continue;
        };
        let colour = if *ours { OURS } else { OTHERS };
        chart.draw_series([PathElement::new([(low, y), (high, y)], colour.stroke_width(3))])?;
        chart.draw_series([Circle::new((value, y), 5, colour.filled())])?;
        let (end, middle) = chart.backend_coord(&(high, y));
        area.draw(&Text::new(*label, (left, middle), text(HPos::Right)))?;
        let number = Estimate { value, low, high }.short();
        area.draw(&Text::new(number, (end + 12, middle), text(HPos::Left)))?;
    }
    Ok(())
}

/// Grid lines for the numbers alone, and what they are.
fn axis<X: Ranged<ValueType = f64> + ValueFormatter<f64>>(
    mesh: &mut MeshStyle<X, RangedCoordf64, SVGBackend>,
    name: &str,
) -> Result<()> {
    mesh.disable_y_mesh()
        .disable_y_axis()
        .x_desc(name)
        .x_labels(8)
        .x_label_formatter(&|number| {
            format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
        })
        .axis_style(LINE)
        .bold_line_style(LINE)
        .light_line_style(RGBAColor(0, 0, 0, 0.0))
        .label_style(text(HPos::Center))
        .draw()?;
    Ok(())
}

/// The SVG of what `draw` draws on `rows` rows.
fn drawn(rows: usize, draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    plot::drawn((WIDTH, ROW * u32::try_from(rows)?), draw)
}
