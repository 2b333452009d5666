//! Two charts as SVG. The colours that stand in them are those of the light page; its style sheet
//! puts others in their place in the dark. All text is ours.

use crate::measures::{ReliabilityBin, RiskPoint};
use anyhow::anyhow;
use plotters::{
    chart::ChartContext,
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// Twice what is shown, as the plotter places things by whole pixels.
const SIZE: (u32, u32) = (960, 800);
const TEXT: u32 = 32;

// The style sheet of the pages names each of these.
const INK: RGBColor = RGBColor(0x56, 0x60, 0x72);
const GRID: RGBColor = RGBColor(0xd9, 0xde, 0xe7);
const CURVE: RGBColor = RGBColor(0x24, 0x58, 0xc5);
const LIMIT: RGBColor = RGBColor(0xb3, 0x26, 0x1e);

/// Points beyond this many cannot be told apart at this width.
const N_POINTS_MAX: usize = 300;
/// Below this many answered cases the risk jumps about and must not set the scale.
const N_STEADY: usize = 20;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws the share that was right over the confidence that was claimed, with intervals.
pub(super) fn reliability(
    bins: &[ReliabilityBin],
    threshold: Option<f64>,
) -> anyhow::Result<String> {
    let words = "Reliability diagram: share of cases that were right, by claimed confidence.";
    drawn(words, |area| {
        let axes = ["confidence that was claimed", "share that was right"];
        let mut plane = plane(area, 1.0, axes)?;
        dashed(&mut plane, &[(0.0, 0.0), (1.0, 1.0)], INK)?;
        if let Some(least) = threshold {
            dashed(&mut plane, &[(least, 0.0), (least, 1.0)], LIMIT)?;
        }
        let points = bins.iter().map(|bin| (bin.confidence, bin.right.value));
        plane.draw_series(LineSeries::new(points.clone(), CURVE.stroke_width(4)))?;
        plane.draw_series(bins.iter().map(|bin| {
            let ends = [(bin.confidence, bin.right.low), (bin.confidence, bin.right.high)];
            PathElement::new(ends, CURVE.stroke_width(3))
        }))?;
        plane.draw_series(points.map(|at| Circle::new(at, 9, CURVE.filled())))?;
        label(&mut plane, (0.03, 0.95), HPos::Left, "above the line: claims too little")?;
        label(&mut plane, (0.97, 0.05), HPos::Right, "below: claims too much")?;
        Ok(())
    })
}

/// Draws the share of wrong answers over the share of cases answered, with pointwise intervals and
/// the point at which the run stood.
pub(super) fn risk_coverage(
    points: &[RiskPoint],
    marked: Option<&RiskPoint>,
) -> anyhow::Result<String> {
    let words =
        "Risk-coverage curve: share of answers that were wrong, by share of cases answered.";
    drawn(words, |area| {
        let axes = ["share of cases answered", "share of answers that were wrong"];
        let y_max = scale(points);
        let mut plane = plane(area, y_max, axes)?;
        let shown = thin(points);
        let at = |point: &RiskPoint, risk: f64| (point.coverage, risk.min(y_max));
        let mut band: Vec<_> = shown.iter().map(|point| at(point, point.risk.high)).collect();
        band.extend(shown.iter().rev().map(|point| at(point, point.risk.low)));
        plane.draw_series([Polygon::new(band, CURVE.mix(0.16))])?;
        let curve = shown.iter().map(|point| at(point, point.risk.value));
        plane.draw_series(LineSeries::new(curve, CURVE.stroke_width(4)))?;
        if let Some(point) = marked {
            let (x, y) = at(point, point.risk.value);
            dashed(&mut plane, &[(x, 0.0), (x, y)], LIMIT)?;
            dashed(&mut plane, &[(0.0, y), (x, y)], LIMIT)?;
            plane.draw_series([Circle::new((x, y), 9, LIMIT.filled())])?;
        }
        Ok(())
    })
}

/// Returns the upper end of the risks: a quarter more than the highest, so that its interval
/// shows, in steps that label well.
fn scale(points: &[RiskPoint]) -> f64 {
    let steady = points.iter().filter(|point| point.risk.n >= N_STEADY);
    let highest = steady.chain(points.last()).map(|point| point.risk.value).fold(0.0, f64::max);
    let steps = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];
    steps.into_iter().find(|max| *max >= highest * 1.25).unwrap_or(1.0)
}

fn thin(points: &[RiskPoint]) -> Vec<&RiskPoint> {
    let stride = points.len().div_ceil(N_POINTS_MAX).max(1);
    let last = points.len().saturating_sub(1);
    let is_kept = |i: usize| i.is_multiple_of(stride) || i == last;
    points.iter().enumerate().filter(|(i, _)| is_kept(*i)).map(|(_, point)| point).collect()
}

/// Draws, and says in words what is seen.
fn drawn(
    words: &str,
    draw: impl FnOnce(&Area<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    draw(&area)?;
    area.present().map_err(|failure| anyhow!("no chart can be drawn: {failure}"))?;
    drop(area);
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{words}\" "), 1))
}

/// Makes a plane of shares: 0..=1 to the right, 0..=`y_max` upwards.
fn plane<'a>(area: &Area<'a>, y_max: f64, axes: [&str; 2]) -> anyhow::Result<Plane<'a>> {
    let mut plane = ChartBuilder::on(area)
        .margin_top(30)
        .margin_right(50)
        .x_label_area_size(96)
        .y_label_area_size(124)
        .build_cartesian_2d(0.0..1.0, 0.0..y_max)?;
    let written = |share: &f64| format!("{:.0} %", share * 100.0);
    let [across, upwards] = axes;
    let text = ("sans-serif", TEXT).into_font();
    plane
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(INK.stroke_width(2))
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&written)
        .y_label_formatter(&written)
        .label_style(text.clone().color(&INK))
        .axis_desc_style(text.color(&INK))
        .x_desc(across)
        .y_desc(upwards)
        .draw()?;
    Ok(plane)
}

fn dashed(plane: &mut Plane<'_>, ends: &[(f64, f64)], colour: RGBColor) -> anyhow::Result<()> {
    let line = DashedLineSeries::new(ends.iter().copied(), 10, 8, colour.stroke_width(3));
    plane.draw_series(line)?;
    Ok(())
}

fn label(
    plane: &mut Plane<'_>,
    at: (f64, f64),
    side: HPos,
    words: &'static str,
) -> anyhow::Result<()> {
    let style = ("sans-serif", TEXT - 4).into_font().color(&INK).pos(Pos::new(side, VPos::Center));
    plane.draw_series([Text::new(words, at, style)])?;
    Ok(())
}
