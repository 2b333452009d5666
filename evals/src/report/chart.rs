//! Two charts as SVG. Colours come from the page's style sheet, so that they follow its light and
//! dark; all text is ours.

use crate::measures::{ReliabilityBin, RiskPoint};
use std::fmt::Write;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 450.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 340.0;

/// Points beyond this many cannot be told apart at this width.
const N_POINTS_MAX: usize = 300;
/// Below this many answered cases the risk jumps about and must not set the scale.
const N_STEADY: usize = 20;

/// Draws the share that was right over the confidence that was claimed, with intervals.
pub(super) fn reliability(bins: &[ReliabilityBin], threshold: Option<f64>) -> String {
    let plot = Plot { y_max: 1.0 };
    let mut svg =
        plot.open("Reliability diagram", "Share of cases that were right, by claimed confidence.");
    plot.axes(&mut svg, "confidence that was claimed", "share that was right");
    plot.line(&mut svg, "ideal", &[(0.0, 0.0), (1.0, 1.0)]);
    if let Some(least) = threshold {
        plot.line(&mut svg, "threshold", &[(least, 0.0), (least, 1.0)]);
    }
    let (left, top) = plot.place((0.03, 0.94));
    text(&mut svg, (left, top), "start", "above the line: claims too little");
    let (right, bottom) = plot.place((0.97, 0.05));
    text(&mut svg, (right, bottom), "end", "below: claims too much");
    let points: Vec<(f64, f64)> =
        bins.iter().map(|bin| (bin.confidence, bin.right.value)).collect();
    plot.line(&mut svg, "curve", &points);
    for bin in bins {
        plot.line(
            &mut svg,
            "whisker",
            &[(bin.confidence, bin.right.low), (bin.confidence, bin.right.high)],
        );
        let words = format!(
            "claimed {:.1} %, right {:.1} % ({:.1} to {:.1} %), {} cases",
            bin.confidence * 100.0,
            bin.right.value * 100.0,
            bin.right.low * 100.0,
            bin.right.high * 100.0,
            bin.right.n
        );
        plot.dot(&mut svg, (bin.confidence, bin.right.value), &words);
    }
    svg + "</svg>"
}

/// Draws the share of wrong answers over the share of cases answered, with pointwise intervals and
/// the point at which the run stood.
pub(super) fn risk_coverage(points: &[RiskPoint], marked: Option<&RiskPoint>) -> String {
    let steady = points.iter().filter(|point| point.risk.n >= N_STEADY);
    let highest = steady.chain(points.last()).map(|point| point.risk.value).fold(0.0, f64::max);
    // A quarter more than the highest, so that its interval shows, in steps that label well.
    let y_max =
        [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8].into_iter().find(|max| *max >= highest * 1.25);
    let plot = Plot { y_max: y_max.unwrap_or(1.0) };
    let mut svg = plot.open(
        "Risk-coverage curve",
        "Share of answers that were wrong, by share of cases answered.",
    );
    plot.axes(&mut svg, "share of cases answered", "share of answers that were wrong");
    let shown = thin(points);
    let mut band: Vec<(f64, f64)> =
        shown.iter().map(|point| (point.coverage, point.risk.high)).collect();
    band.extend(shown.iter().rev().map(|point| (point.coverage, point.risk.low)));
    plot.area(&mut svg, &band);
    let curve: Vec<(f64, f64)> =
        shown.iter().map(|point| (point.coverage, point.risk.value)).collect();
    plot.line(&mut svg, "curve", &curve);
    if let Some(point) = marked {
        let at = (point.coverage, point.risk.value);
        plot.line(&mut svg, "threshold", &[(at.0, 0.0), at]);
        plot.line(&mut svg, "threshold", &[(0.0, at.1), at]);
        let words = format!(
            "threshold {:.3}: answers {:.1} %, of which {:.1} % wrong",
            point.threshold,
            at.0 * 100.0,
            at.1 * 100.0
        );
        plot.dot(&mut svg, at, &words);
    }
    svg + "</svg>"
}

fn thin(points: &[RiskPoint]) -> Vec<&RiskPoint> {
    let stride = points.len().div_ceil(N_POINTS_MAX).max(1);
    let last = points.len().saturating_sub(1);
    points
        .iter()
        .enumerate()
        .filter(|(i, _)| i % stride == 0 || *i == last)
        .map(|(_, point)| point)
        .collect()
}

/// A plane of shares: 0..=1 to the right, 0..=`y_max` upwards.
struct Plot {
    y_max: f64,
}

impl Plot {
    fn open(&self, title: &str, summary: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}. {summary}\">"
        )
    }

    fn axes(&self, svg: &mut String, across: &str, upwards: &str) {
        let n_steps = if self.y_max == 0.3 || self.y_max == 0.6 { 6 } else { 5 };
        let decimals = usize::from(self.y_max < 0.1);
        for i in 0..=n_steps {
            let y = self.y_max * f64::from(i) / f64::from(n_steps);
            self.line(svg, "grid", &[(0.0, y), (1.0, y)]);
            let (x_px, y_px) = self.place((0.0, y));
            let written = format!("{:.decimals$} %", y * 100.0);
            text(svg, (x_px - 8.0, y_px + 4.5), "end", &written);
        }
        for i in 0..=5 {
            let x = f64::from(i) / 5.0;
            self.line(svg, "grid", &[(x, 0.0), (x, self.y_max)]);
            text(
                svg,
                (self.place((x, 0.0)).0, BOTTOM + 20.0),
                "middle",
                &format!("{:.0} %", x * 100.0),
            );
        }
        self.line(svg, "axis", &[(0.0, self.y_max), (0.0, 0.0), (1.0, 0.0)]);
        text(svg, ((LEFT + RIGHT) / 2.0, HEIGHT - 14.0), "middle", across);
        let middle = (TOP + BOTTOM) / 2.0;
        let _ = write!(
            svg,
            "<text text-anchor=\"middle\" transform=\"translate(14 {middle:.1}) rotate(-90)\">{upwards}</text>"
        );
    }

    fn line(&self, svg: &mut String, class: &str, points: &[(f64, f64)]) {
        let _ = write!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", self.path(points));
    }

    fn area(&self, svg: &mut String, points: &[(f64, f64)]) {
        let _ = write!(svg, "<polygon class=\"band\" points=\"{}\"/>", self.path(points));
    }

    fn dot(&self, svg: &mut String, at: (f64, f64), words: &str) {
        let (x, y) = self.place(at);
        let _ = write!(
            svg,
            "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"><title>{words}</title></circle>"
        );
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let place = |at: &(f64, f64)| {
            let (x, y) = self.place(*at);
            format!("{x:.1},{y:.1}")
        };
        points.iter().map(place).collect::<Vec<_>>().join(" ")
    }

    /// Returns the place in the drawing; what lies outside the plane is put on its edge.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let up = (y / self.y_max).clamp(0.0, 1.0);
        (LEFT + x.clamp(0.0, 1.0) * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP))
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}
