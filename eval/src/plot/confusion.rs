//! Where questions belong, and where they went.

use anyhow::{Result, ensure};
use plotters::{
    prelude::{Color, PathElement, Rectangle, Text},
    style::{FontTransform, RGBColor, ShapeStyle, WHITE, text_anchor::HPos},
};

use super::{Area, LINE, MARGIN, OTHERS, OURS, drawn, heading, text};
use crate::measures::domains::Confusion;

/// Pixels.
const CELL: (i32, i32) = (44, 28);
const LETTER: i32 = 7;
/// What stands right of a row, and above the names of the columns.
const SHARE: i32 = 120;
const HEAD: i32 = 30;

/// How many domains a matrix can have that is still read.
const NAMES_MAX: usize = 60;

/// From which strength of its ground on a number is white.
const STRONG: f64 = 0.55;

/// A row for each domain that questions belong to, with the share that went right, and a column for each that
/// they went to: blue where both are the same, orange elsewhere, the stronger the larger the share of the
/// row.
pub(crate) fn confusion(confusion: &Confusion) -> Result<String> {
    let Confusion { names, counts } = confusion;
    ensure!(
        names.len() <= NAMES_MAX,
        "a confusion matrix of {} domains cannot be read: draw one of {NAMES_MAX} at most",
        names.len()
    );
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let label = LETTER * i32::try_from(longest)? + 2 * MARGIN;
    let count = i32::try_from(names.len())?;
    let matrix = Matrix { left: label, top: label + HEAD, count };
    let (right, bottom) = matrix.corner(count, count);
    let size = (u32::try_from(right + SHARE)?, u32::try_from(bottom + MARGIN)?);
    drawn(size, |area| {
        for (at, (name, row)) in (0..).zip(names.iter().zip(counts)) {
            matrix.names(area, at, name)?;
            matrix.row(area, at, row)?;
        }
        matrix.frame(area)
    })
}

/// Where the cells lie.
struct Matrix {
    left: i32,
    top: i32,
    count: i32,
}

impl Matrix {
    /// The upper left one of a cell.
    fn corner(&self, column: i32, row: i32) -> (i32, i32) {
        (self.left + column * CELL.0, self.top + row * CELL.1)
    }

    /// The middle of a cell.
    fn middle(&self, column: i32, row: i32) -> (i32, i32) {
        let (x, y) = self.corner(column, row);
        (x + CELL.0 / 2, y + CELL.1 / 2)
    }

    /// What a row and the column of the same number are called.
    fn names(&self, area: &Area, at: i32, name: &str) -> Result<()> {
        let ((x, _), (_, y)) = (self.middle(at, 0), self.middle(0, at));
        area.draw(&Text::new(name, (self.left - MARGIN, y), text(HPos::Right)))?;
        let upright = text(HPos::Left).transform(FontTransform::Rotate270);
        area.draw(&Text::new(name, (x, self.top - MARGIN), upright))?;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    fn row(&self, area: &Area, at: i32, counts: &[usize]) -> Result<()> {
        let all: usize = counts.iter().sum();
        let mut share_right = 0.0;
        for (column, &count) in (0..).zip(counts).filter(|(_, count)| **count > 0) {
            let share = count as f64 / all as f64;
            let right = column == at;
            if right {
                share_right = share;
            }
            // Few questions that went wrong are to be seen as well.
            let (colour, strength): (RGBColor, f64) =
                if right { (OURS, 0.2 + 0.8 * share) } else { (OTHERS, 0.12 + 0.88 * share.sqrt()) };
            let (x, y) = self.corner(column, at);
            area.draw(&Rectangle::new([(x, y), (x + CELL.0, y + CELL.1)], colour.mix(strength).filled()))?;
            let number = text(HPos::Center);
            let number = if strength < STRONG { number } else { number.color(&WHITE) };
            area.draw(&Text::new(count.to_string(), self.middle(column, at), number))?;
        }
        if all > 0 {
            let (x, y) = (self.corner(self.count, at).0 + MARGIN, self.middle(0, at).1);
            let share = format!("{:.1} % of {all}", 100.0 * share_right);
            area.draw(&Text::new(share, (x, y), text(HPos::Left)))?;
        }
        Ok(())
    }

    /// Lines between the cells, and what rows and columns are.
    fn frame(&self, area: &Area) -> Result<()> {
        let line = ShapeStyle::from(LINE).stroke_width(1);
        for at in 0..=self.count {
            let ends = [self.corner(0, at), self.corner(self.count, at)];
            area.draw(&PathElement::new(ends, line))?;
            let ends = [self.corner(at, 0), self.corner(at, self.count)];
            area.draw(&PathElement::new(ends, line))?;
        }
        let middle = self.corner(0, 0).0.midpoint(self.corner(self.count, 0).0);
        area.draw(&Text::new("went to", (middle, 2 * MARGIN), heading(HPos::Center)))?;
        let above = self.top - 2 * MARGIN;
        area.draw(&Text::new("belongs to", (self.left - MARGIN, above), heading(HPos::Right)))?;
        let right = self.corner(self.count, 0).0 + MARGIN;
        area.draw(&Text::new("right", (right, above), heading(HPos::Left)))?;
        Ok(())
    }
}
